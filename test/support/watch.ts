import { canary } from "./secrets.ts";

/** The places where no secret may appear. */
export type Sink =
  | "an HTTP reply"
  | "a reply of billmgr"
  | "an HTTP request"
  | "a URL"
  | "the console"
  | "a process's output"
  | "a log"
  | "an error";

const found: string[] = [];
const known = new Set<Sink>();

/** Ends the permissions that `knowingly` gave. */
export const forget = (): void => known.clear();

/** Permits secrets in these places for the rest of the test. */
export const knowingly = (...sinks: Sink[]): void => sinks.forEach((sink) => void known.add(sink));

/** Removes and returns the places where secrets were found, so that they fail no test. */
export const takeFound = (): string[] => found.splice(0);

/** The canary as text, in base64 at each of the three offsets, in hex, and in percent encoding. */
const forms = [
  canary,
  ...[0, 1, 2].map((offset) => {
    const encoded = Buffer.from("\0".repeat(offset) + canary).toString("base64");
    // The first and last characters also depend on the neighboring bytes, so they are cut off.
    return encoded.replaceAll("=", "").slice(offset && offset + 1, (offset + canary.length) % 3 ? -1 : undefined);
  }),
  Buffer.from(canary).toString("hex"),
  [...Buffer.from(canary)].map((byte) => `%${byte.toString(16)}`).join(""),
].map((form) => form.toLowerCase());

const longest = Math.max(...forms.map((form) => form.length));

export const textOf = (value: unknown): string => {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("latin1");
  if (value instanceof Error)
    return `${value.message} ${value.stack} ${JSON.stringify({ ...value })} ${textOf(value.cause)}`;
  return typeof value === "object" && value !== null ? (JSON.stringify(value) ?? "") : String(value);
};

/** Searches a value for secrets. @returns true if there is none, or the test permits it */
export function watch(sink: Sink, value: unknown, place = ""): boolean {
  const text = textOf(value).toLowerCase();
  if (known.has(sink) || !forms.some((form) => text.includes(form))) return true;
  found.push(place ? `${sink} (${place})` : sink);
  return false;
}

/** Does the same for a value that arrives in pieces. */
export function watcherOf(sink: Sink, place: string): (piece: unknown) => boolean {
  let end = "";
  return (piece) => {
    const text = end + textOf(piece);
    end = text.slice(-longest);
    return watch(sink, text, place);
  };
}
