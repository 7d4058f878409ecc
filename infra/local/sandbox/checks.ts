/** Checks on what a person types into /sandbox/*: each failure says what was found, what was expected and the nearest name. */

export class Invalid extends Error {}

export type Check = { expected: string; accepts(value: unknown): boolean };

export const text: Check = { expected: "a string", accepts: (value) => typeof value === "string" };
export const flag: Check = { expected: "true or false", accepts: (value) => typeof value === "boolean" };
export const amount: Check = { expected: "a number", accepts: (value) => Number.isFinite(value) };
export const duration: Check = {
  expected: "a number, zero or more",
  accepts: (value) => Number.isFinite(value) && Number(value) >= 0,
};
export const count: Check = {
  expected: "a whole number, one or more",
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
};

export function oneOf(...choices: readonly (string | number)[]): Check {
  return {
    expected: `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`,
    accepts: (value) => choices.some((choice) => choice === value),
  };
}

export function record(fields: Record<string, Check>): Check {
  const shape = Object.entries(fields).map(([name, check]) => `"${name}": ${check.expected}`);
  return {
    expected: `an object {${shape.join(", ")}}`,
    accepts: (value) =>
      isObject(value) &&
      Object.keys(value).every((name) => Object.hasOwn(fields, name)) &&
      Object.entries(fields).every(([name, check]) => check.accepts(value[name])),
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Throws Invalid unless each key of `value` is one of `fields` and passes its check. Absent keys are fine. */
export function checkFields(what: string, value: unknown, fields: Record<string, Check>): Record<string, unknown> {
  if (!isObject(value)) throw new Invalid(`${what}: expected an object, found ${show(value)}`);
  for (const [name, given] of Object.entries(value)) {
    const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!check) throw new Invalid(`${what}: ${unknownName("field", name, Object.keys(fields))}`);
    if (!check.accepts(given)) throw new Invalid(`${what}: "${name}" expected ${check.expected}, found ${show(given)}`);
  }
  return value;
}

export function unknownName(kind: string, found: string, known: readonly string[]): string {
  const near = nearest(found, known);
  const hint = near ? ` Did you mean "${near}"?` : "";
  return `found unknown ${kind} ${show(found)}.${hint} Expected one of: ${known.join(", ")}`;
}

function show(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

function nearest(found: string, known: readonly string[]): string | undefined {
  const word = found.slice(0, 64).toLowerCase();
  const ranked = known
    .map((name) => ({ name, distance: distance(word, name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, best.name.length / 2) ? best.name : undefined;
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
