import { canary } from "./secrets.ts";

/** Where a secret has no place. */
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

/** Ends what was known for one test. */
export const forget = (): void => known.clear();

/** For the rest of the test: a secret is put there on purpose. */
export const knowingly = (...sinks: Sink[]): void => sinks.forEach((sink) => void known.add(sink));

/** What was found since, which then fails no test. */
export const takeFound = (): string[] => found.splice(0);

/** The word itself, and as it stands within base64 at each of its three offsets, in hex, or in percents. */
const forms = [
  canary,
  ...[0, 1, 2].map((offset) => {
    const encoded = Buffer.from("\0".repeat(offset) + canary).toString("base64");
    // What its neighbours have a part in says nothing.
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

/** Looks for a secret in what goes to a place: true when there is none, or it is known. */
export function watch(sink: Sink, value: unknown, place = ""): boolean {
  const text = textOf(value).toLowerCase();
  if (known.has(sink) || !forms.some((form) => text.includes(form))) return true;
  found.push(place ? `${sink} (${place})` : sink);
  return false;
}

/** The same for what comes in pieces. */
export function watcherOf(sink: Sink, place: string): (piece: unknown) => boolean {
  let end = "";
  return (piece) => {
    const text = end + textOf(piece);
    end = text.slice(-longest);
    return watch(sink, text, place);
  };
}
