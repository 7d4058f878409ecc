/** Removes secrets from the text of a reply, and shortens it for logs and the table. */
export type Redact = (text: string) => string;

const maxLength = 400;

/** A reply can echo the request in any encoding. The text is cut after the redaction, so no part of a secret stays. */
export function redactor(authinfo: string): Redact {
  const password = authinfo.slice(authinfo.indexOf(":") + 1);
  const secrets = [authinfo, password].filter((secret) => secret !== "").map(inAnyEncoding);
  const echo = new RegExp(secrets.join("|") || "(?!)", "giu");
  return (text) => text.replace(echo, "***").slice(0, maxLength).toWellFormed();
}

/** Matches each character plain, percent-encoded, as an XML or HTML reference, or as a JSON escape. */
const inAnyEncoding = (secret: string): string =>
  [...secret]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      const hex = code.toString(16);
      const percents = [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
      const reference = `&(?:amp;)*(?:#0*${code}|#x0*${hex}${names[character] ? `|${names[character]}` : ""});`;
      const units = character.split("").map((unit) => `\\\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
      return `(?:${[`\\\\?\\u{${hex}}`, percents, reference, units.join(""), ...(character === " " ? ["\\+"] : [])].join("|")})`;
    })
    .join("");

const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };
