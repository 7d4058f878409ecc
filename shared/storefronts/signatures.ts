import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { FreshnessCheck, SignedRequest, Storefront } from "./storefront.ts";

const usualToleranceSeconds = 300;

/** In both directions: a signature from the future is as wrong as an old one (Stripe's own SDK accepts it). */
export const freshAt =
  (...clocks: (() => number)[]): FreshnessCheck =>
  (seconds, toleranceSeconds = usualToleranceSeconds) =>
    clocks.some((clock) => Math.abs(clock() / 1000 - seconds) <= toleranceSeconds);

/**
 * True if any key made any of the signatures over the parts. Compares in constant time and as text: decoding skips
 * characters that are not hex or base64, so it accepts a signature with a suffix.
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

/** For storefronts that sign only the body, without a time, in one header (spelled as they document it). */
export const bodySigned =
  (header: string, encoding: "hex" | "base64"): Storefront["verify"] =>
  ({ headers, body }, secrets) => {
    const signature = headers[header.toLowerCase()];
    if (!signature) return `needs the header ${header}`;
    return isSigned(secrets, [body], [signature], encoding) ? undefined : noneMatches(secrets);
  };

/** A secret and a body, hashed together. Some vendors call this an HMAC. */
export function isHashed(secrets: readonly string[], body: Buffer, digest: string): boolean {
  const given = Buffer.from(digest);
  return secrets.reduce((hashed, secret) => {
    const expected = Buffer.from(createHash("sha256").update(secret).update(body).digest("hex"));
    return (given.length === expected.length && timingSafeEqual(given, expected)) || hashed;
  }, false);
}

type Fields = {
  header: string;
  between: string;
  time: string;
  signature: string;
  joint: string;
  /** Where the vendor repeats a delivery with its first signature. */
  toleranceSeconds?: number;
};

/**
 * For storefronts that sign a time and the body in hex, and send both as `name=value` fields of one header. Any of its
 * signatures may be ours: during a rotation there is one for each secret.
 */
export const timeSigned =
  ({ header, between, time, signature, joint, toleranceSeconds }: Fields): Storefront["verify"] =>
  ({ headers, body }, secrets, isFresh) => {
    const sent = headers[header.toLowerCase()];
    if (!sent) return `needs the header ${header}`;
    const fields = sent.split(between).map((field) => field.trim());
    const given = (name: string) => fields.flatMap((field) => new RegExp(`^${name}=(.+)$`).exec(field)?.[1] ?? []);
    const seconds = secondsIn(given(time)[0]);
    if (seconds === undefined) return `${header} holds no time`;
    const signatures = given(signature);
    if (signatures.length === 0) return `${header} holds no ${signature} signature`;
    if (!isFresh(seconds, toleranceSeconds)) return stale(seconds, toleranceSeconds);
    return isSigned(secrets, [`${given(time)[0]}${joint}`, body], signatures, "hex") ? undefined : noneMatches(secrets);
  };

/** Svix sends the headers of Standard Webhooks under its own prefix. With both prefixes, only "webhook" counts. */
const prefixIn = (headers: SignedRequest["headers"]): string =>
  headers["webhook-id"] === undefined && headers["svix-id"] !== undefined ? "svix" : "webhook";

/** The id and the time that `standardSigned` verified. */
export const signedId = (headers: SignedRequest["headers"]): string => headers[`${prefixIn(headers)}-id`] ?? "";
export const signedTimestamp = (headers: SignedRequest["headers"]) => headers[`${prefixIn(headers)}-timestamp`];

/** Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): "id.time.body" in base64, by any key. */
export const standardSigned =
  (keysOf: (secret: string) => (string | Buffer)[]): Storefront["verify"] =>
  ({ headers, body }, secrets, isFresh) => {
    const prefix = prefixIn(headers);
    const id = headers[`${prefix}-id`];
    const timestamp = headers[`${prefix}-timestamp`];
    const signatures = headers[`${prefix}-signature`];
    if (!id || !timestamp || !signatures) {
      return `needs the headers ${prefix}-id, ${prefix}-timestamp, ${prefix}-signature`;
    }
    const seconds = secondsIn(timestamp);
    if (seconds === undefined) return `${prefix}-timestamp is not Unix seconds`;
    if (!isFresh(seconds)) return stale(seconds);
    const given = signatures.split(" ").flatMap((one) => (one.startsWith("v1,") ? [one.slice(3)] : []));
    if (given.length === 0) return `${prefix}-signature holds no v1 signature`;
    return isSigned(secrets.flatMap(keysOf), [`${id}.${timestamp}.`, body], given, "base64")
      ? undefined
      : noneMatches(secrets);
  };

/** The key of a Standard Webhooks secret: base64, after "whsec_" if that is there. */
export const standardKey = (secret: string): Buffer => Buffer.from(encodedKey(secret), "base64");

const encodedKey = (secret: string): string => (secret.startsWith("whsec_") ? secret.slice(6) : secret);

/** Why a text is not a Standard Webhooks secret. */
export function standardSecretProblem(secret: string): string | undefined {
  if (secret.startsWith("v1,")) return 'begins with "v1,", which belongs to signatures; the secret is what follows it';
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encodedKey(secret))) return 'is not "whsec_" and base64';
  // Anyone can guess a key that decodes to next to nothing.
  return standardKey(secret).length < 8
    ? "is too short: Standard Webhooks asks for 24 to 64 bytes in base64"
    : undefined;
}

/** Why a secret that a merchant chose is not used. Vendors' own are far longer. */
export const tooShort = (secret: string): string | undefined =>
  secret.length < 4 ? "is too short: anybody could guess it" : undefined;

/** Unix seconds in a header, or undefined. `Number` also accepts "" and "1e9". */
export const secondsIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined;

export const stale = (seconds: number, toleranceSeconds = usualToleranceSeconds): string =>
  `the signature's time, ${new Date(seconds * 1000).toISOString()}, is more than ${toleranceSeconds} s from now`;

export const noneMatches = (secrets: readonly string[]): string =>
  `the signature matches ${secrets.length === 1 ? "not the secret" : `none of the ${secrets.length} secrets`}`;
