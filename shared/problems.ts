import type { $ZodIssue, $ZodType } from "zod/v4/core";

/**
 * Says each schema issue in one line: where, what was found, what was expected, and the likely name behind a mistyped
 * one. Values are shown only when `showValues`, so that the same words serve for secrets.
 */
export function explain(
  schema: $ZodType,
  issues: readonly $ZodIssue[],
  value: unknown,
  { showValues = true } = {},
): string[] {
  return issues.flatMap((issue) => {
    const at = pathOf(issue.path);
    const found = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], value);
    if (issue.code === "unrecognized_keys") {
      const known = keysAt(schema, issue.path);
      return issue.keys.map((key) => `${pathOf([...issue.path, key])}: no such setting${suggest(key, known)}`);
    }
    const expected = expectation(issue);
    if (found === undefined) return [`${at}: missing, expected ${expected}`];
    const hint =
      issue.code === "invalid_value" && typeof found === "string" ? suggest(found, issue.values.map(String), "") : "";
    return [`${at}: found ${show(found, showValues)}, expected ${expected}${hint}`];
  });
}

/** ", did you mean …?" with the nearest of the known names, or the known names where none is near. */
export function suggest(word: string, known: readonly string[], otherwise = `, expected ${known.join(", ")}`): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= Math.max(1, Math.floor(word.length / 3))) return `, did you mean "${near.name}"?`;
  return known.length > 0 ? otherwise : "";
}

export function pathOf(path: readonly PropertyKey[]): string {
  return path.length === 0
    ? "(top)"
    : path
        .map((key, i) =>
          typeof key === "number"
            ? `[${key}]`
            : /^[\w$-]+$/.test(String(key))
              ? `${i ? "." : ""}${String(key)}`
              : `["${String(key)}"]`,
        )
        .join("");
}

function expectation(issue: $ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int"
        ? "a whole number"
        : `${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
    case "invalid_value":
      return issue.values.map((one) => JSON.stringify(one)).join(" or ");
    case "too_small":
      return issue.origin === "string" ? "some text" : `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_union":
      return [...new Set(issue.errors.flatMap((option) => option.map(expectation)))].join(" or ") || issue.message;
    case "invalid_format":
      return issue.pattern ? `text like ${issue.pattern}` : issue.format;
    default:
      return issue.message;
  }
}

function show(value: unknown, showValues: boolean): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return showValues ? String(value) : "a number";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return showValues ? JSON.stringify(value.slice(0, 60)) : "text";
  return `an ${typeof value}`;
}

type Definition = {
  shape?: Record<string, $ZodType>;
  innerType?: $ZodType;
  valueType?: $ZodType;
  element?: $ZodType;
};

function keysAt(schema: $ZodType, path: readonly PropertyKey[]): string[] {
  const definition = schema._zod.def as Definition;
  if (definition.innerType) return keysAt(definition.innerType, path);
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(definition.shape ?? {});
  const inner = definition.shape?.[String(key)] ?? definition.valueType ?? definition.element;
  return inner ? keysAt(inner, rest) : [];
}

/** Insertions, deletions, replacements, and two neighbours changing places, each counted as one. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (same ? 0 : 1),
        swapped ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return at(a.length, b.length);
}
