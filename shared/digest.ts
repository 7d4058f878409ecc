import { createHash } from "node:crypto";

/** The SHA-256 digest of the parts, in hexadecimal. */
export const digestOf = (...parts: string[]): string => createHash("sha256").update(parts.join("\n")).digest("hex");
