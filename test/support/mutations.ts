import fc from "fast-check";

/** `FUZZ_TIMES=50` runs fifty times as many cases (npm run fuzz). */
export const runs = (count: number): number => count * Number(process.env.FUZZ_TIMES ?? 1);

/** Texts that often break code. */
export const oddTexts = fc.constantFrom(
  "",
  " ",
  "\0",
  "\ud800",
  "\udc00\ud800",
  "\uffff",
  "\ufeff",
  "\u202e",
  "__proto__",
  "constructor",
  "toString",
  "0",
  "-1",
  "1e9",
  "9".repeat(40),
  "0000-00-00",
  "2027-02-31",
  "9999-12-31",
  "x".repeat(201),
  "\u{1F600}".repeat(150),
);

const oddNumbers = fc.constantFrom(-1, -0, 0, 0.5, 1.5, 2 ** 31, 2 ** 53, 1e12, 1e300, -1e300, 5e-324);

export const nested = (depth: number): fc.JsonValue => {
  let value: fc.JsonValue = [];
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { id: value };
  return value;
};

export const odd: fc.Arbitrary<fc.JsonValue> = fc.oneof(
  oddTexts,
  oddNumbers,
  fc.constantFrom<fc.JsonValue>(null, true, false, [], {}, [[]], { id: null }, nested(500)),
  fc.jsonValue({ maxDepth: 2 }),
);

type Place = { of: Record<string, fc.JsonValue>; key: string };

/** Deeper than any event. Deeper places are inside values that an earlier mutation inserted. */
const deepest = 12;

const placesIn = (value: unknown, depth = 0): Place[] =>
  typeof value === "object" && value !== null && depth < deepest
    ? Object.keys(value).flatMap((key) => {
        const of = value as Record<string, fc.JsonValue>;
        return [{ of, key }, ...placesIn(of[key], depth + 1)];
      })
    : [];

/** A JSON value with some parts replaced, removed, or moved. */
export const mutatedJson = (whole: unknown): fc.Arbitrary<fc.JsonValue> => {
  const change = fc.record({
    at: fc.nat(),
    from: fc.nat(),
    how: fc.constantFrom("put", "put", "put", "drop", "move", "repeat"),
    value: odd,
  });
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const copy = structuredClone(whole) as fc.JsonValue;
    for (const { at, from, how, value } of changes) {
      const places = placesIn(copy);
      const place = places[at % places.length];
      const other = places[from % places.length];
      if (!place || !other) continue;
      const held = place.of[place.key] ?? null;
      if (how === "put") place.of[place.key] = structuredClone(value);
      else if (how === "move") place.of[place.key] = structuredClone(other.of[other.key] ?? null);
      else if (how === "repeat") place.of[place.key] = [held, held, held];
      else delete place.of[place.key];
    }
    return copy;
  });
};

const pieces = fc.oneof(
  fc.constantFrom("<", ">", "&", '"', "'", "]]>", "<!--", "-->", "<![CDATA[", "</doc>", "<doc>", "<doc/>", "<ok/>"),
  fc.constantFrom("<id>1</id>", "<error/>", '<error type="value"/>', "<__proto__>", "<constructor/>", "&#0;", "&lt;"),
  fc.constantFrom("<?x ?>", "<!DOCTYPE doc>", "<p_elems>0</p_elems>", "<elem>", "</elem>", " ", "\n", "\r", "\ufeff"),
  oddTexts,
);

/** A text with some parts cut out, and others put in. */
export const mutatedText = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.record({ at: fc.nat(text.length), drop: fc.oneof(fc.nat(8), fc.nat(text.length)), put: pieces }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((changes) =>
      changes.reduce((current, { at, drop, put }) => current.slice(0, at) + put + current.slice(at + drop), text),
    );

/** Bytes of which one is another, gone, or one more. */
export const alteredByte = (bytes: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .record({ at: fc.nat(bytes.length), byte: fc.nat(255), how: fc.constantFrom("replace", "insert", "drop") })
    .map(({ at, byte, how }) =>
      Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(how === "drop" ? [] : [byte]),
        bytes.subarray(how === "insert" ? at : at + 1),
      ]),
    )
    .filter((altered) => !altered.equals(bytes));
