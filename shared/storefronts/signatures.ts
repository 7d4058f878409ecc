import { createHmac, timingSafeEqual } from "node:crypto";
import type { FreshnessCheck, Storefront } from "./storefront.ts";

const toleranceSeconds = 300;

/** Both ways: a signature from the future is as wrong as an old one (Stripe's own SDK lets that pass). */
export const freshAt =
  (...clocks: (() => number)[]): FreshnessCheck =>
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

/** For storefronts that sign the body alone, without a time, in one header (named as they document it). */
export const bodySigned =
  (header: string, encoding: "hex" | "base64"): Storefront["verify"] =>
  ({ headers, body }, secrets) => {
    const signature = headers[header.toLowerCase()];
    if (!signature) return `needs the header ${header}`;
    return isSigned(secrets, [body], [signature], encoding) ? undefined : noneMatches(secrets);
  };

type Fields = { header: string; between: string; time: string; signature: string; joint: string };

/**
 * For storefronts that sign a time and the body, in hex, and send both as `name=value` fields of one header. Any of its
 * signatures may be ours: there is one for each secret while it is rolled.
 */
export const timeSigned =
  ({ header, between, time, signature, joint }: Fields): Storefront["verify"] =>
  ({ headers, body }, secrets, isFresh) => {
    const sent = headers[header.toLowerCase()];
    if (!sent) return `needs the header ${header}`;
    const fields = sent.split(between).map((field) => field.trim());
    const given = (name: string) => fields.flatMap((field) => new RegExp(`^${name}=(.+)$`).exec(field)?.[1] ?? []);
    const seconds = secondsIn(given(time)[0]);
    if (seconds === undefined) return `${header} holds no time`;
    const signatures = given(signature);
    if (signatures.length === 0) return `${header} holds no ${signature} signature`;
    if (!isFresh(seconds)) return stale(seconds);
    return isSigned(secrets, [`${given(time)[0]}${joint}`, body], signatures, "hex") ? undefined : noneMatches(secrets);
  };

/** Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): "id.time.body" in base64, by any key. */
export const standardSigned =
  (keysOf: (secret: string) => (string | Buffer)[]): Storefront["verify"] =>
  ({ headers, body }, secrets, isFresh) => {
    const id = headers["webhook-id"];
    const timestamp = headers["webhook-timestamp"];
    const signatures = headers["webhook-signature"];
    if (!id || !timestamp || !signatures) return "needs the headers webhook-id, webhook-timestamp, webhook-signature";
    const seconds = secondsIn(timestamp);
    if (seconds === undefined) return "webhook-timestamp is not Unix seconds";
    if (!isFresh(seconds)) return stale(seconds);
    const given = signatures.split(" ").flatMap((one) => (one.startsWith("v1,") ? [one.slice(3)] : []));
    if (given.length === 0) return "webhook-signature holds no v1 signature";
    return isSigned(secrets.flatMap(keysOf), [`${id}.${timestamp}.`, body], given, "base64")
      ? undefined
      : noneMatches(secrets);
  };

/** Why a secret that a merchant chose is not used; vendors' own are far longer. */
export const tooShort = (secret: string): string | undefined =>
  secret.length < 4 ? "is too short: anybody could guess it" : undefined;

/** Unix seconds in a header, or undefined: `Number("")` and `Number("1e9")` are numbers too. */
export const secondsIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;

export const stale = (seconds: number): string =>
  `the signature's time, ${new Date(seconds * 1000).toISOString()}, is more than ${toleranceSeconds} s from now`;

export const noneMatches = (secrets: readonly string[]): string =>
  `the signature matches ${secrets.length === 1 ? "not the secret" : `none of the ${secrets.length} secrets`}`;
