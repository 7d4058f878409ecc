import { gunzipSync, gzipSync } from "node:zlib";

/** A DynamoDB item holds 400 KB. Storefronts' longest events are far below this limit when compressed. */
const maxStoredLength = 300 * 1024;
const compressFromLength = 32 * 1024;
/** No JSON text starts with this prefix. */
const compressedPrefix = "gzip:";

/** Encodes a body for storage. Returns undefined if it is too large, even compressed. */
export function pack(text: string): string | undefined {
  const packed = text.length < compressFromLength ? text : `${compressedPrefix}${gzipSync(text).toString("base64")}`;
  return packed.length > maxStoredLength ? undefined : packed;
}

/** Decodes a stored body. */
export const unpack = (body: string): string =>
  body.startsWith(compressedPrefix)
    ? gunzipSync(Buffer.from(body.slice(compressedPrefix.length), "base64")).toString("utf8")
    : body;
