import { createHmac, timingSafeEqual } from "node:crypto";
import type { Timely } from "./storefront.ts";

const toleranceSeconds = 300;

/** Both ways: a signature from the future is as wrong as an old one (Stripe's own SDK lets that pass). */
export const timelyAt =
  (...clocks: (() => number)[]): Timely =>
  (seconds) =>
    clocks.some((clock) => Math.abs(clock() / 1000 - seconds) <= toleranceSeconds);

/**
 * True when any key made any of the signatures over the parts, compared in constant time and as text: decoding would pass
 * over what is no hex or base64, and take a signature with more behind it for the same one.
 */
export function isSigned(
  keys: readonly (string | Buffer)[],
  parts: readonly (string | Buffer)[],
  signatures: readonly string[],
  encoding: "hex" | "base64",
): boolean {
  const given = signatures.map((signature) => Buffer.from(signature));
  let signed = false;
  for (const key of keys) {
    const hmac = createHmac("sha256", key);
    for (const part of parts) hmac.update(part);
    const expected = Buffer.from(hmac.digest(encoding));
    for (const candidate of given) {
      if (candidate.length === expected.length && timingSafeEqual(candidate, expected)) signed = true;
    }
  }
  return signed;
}

/** Unix seconds in a header, or undefined: `Number("")` and `Number("1e9")` are numbers too. */
export const secondsIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;

export const stale = (seconds: number): string =>
  `the signature's time, ${new Date(seconds * 1000).toISOString()}, is more than ${toleranceSeconds} s from now`;

export const noneMatches = (secrets: readonly string[]): string =>
  `the signature matches ${secrets.length === 1 ? "not the secret" : `none of the ${secrets.length} secrets`}`;
