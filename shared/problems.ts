import type { $ZodIssue, $ZodType } from "zod/v4/core";
import { ExpectedError } from "./errors.ts";

/** One problem in a document: its place, and what is wrong there. `text` follows the path: "is 0; expected 1 to 36". */
export type Problem = { path: readonly PropertyKey[]; text: string };

/** A document that does not have the expected content, with every problem in it. */
export abstract class InvalidDocument extends ExpectedError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], message = problems.map(formatProblem).join("\n")) {
    super(message);
    this.problems = problems;
  }
}

export const formatProblem = ({ path, text }: Problem): string =>
  `${path.length === 0 ? "the value" : formatPath(path)} ${text}`;

/**
 * Describes each schema issue: what was found, what was expected, and the likely name behind a mistyped one.
 * Values appear only with `showValues`, so the same texts serve for secrets.
 */
export function explain(
  schema: $ZodType,
  issues: readonly $ZodIssue[],
  value: unknown,
  { showValues = true } = {},
): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const { path } = issue;
    const found = path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)?.[key], value);
    if (issue.code === "unrecognized_keys") {
      const known = Object.keys(definitionAt(schema, path)?.shape ?? {});
      return issue.keys.map((key) => ({ path: [...path, key], text: `is not a setting${suggest(key, known)}` }));
    }
    const expected = rangeAt(schema, issue) ?? expectation(issue);
    if (found === undefined) return [{ path, text: `is missing; expected ${expected}` }];
    const hint =
      issue.code === "invalid_value" && typeof found === "string" ? suggest(found, issue.values.map(String), "") : "";
    return [{ path, text: `is ${show(found, showValues)}; expected ${expected}${hint}` }];
  });
}

/** "; did you mean …?" with the nearest known name; `otherwise` if none is near. */
export function suggest(word: string, known: readonly string[], otherwise = `; expected ${known.join(", ")}`): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(word.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= Math.max(1, Math.floor(word.length / 3))) return `; did you mean "${near.name}"?`;
  return known.length > 0 ? otherwise : "";
}

export function formatPath(path: readonly PropertyKey[]): string {
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
      return issue.origin === "string"
        ? "a non-empty string"
        : `${issue.inclusive ? "at least" : "more than"} ${issue.minimum}`;
    case "too_big":
      return `${issue.inclusive ? "at most" : "less than"} ${issue.maximum}`;
    case "invalid_union":
      return [...new Set(issue.errors.flatMap((option) => option.map(expectation)))].join(" or ") || issue.message;
    case "invalid_format":
      return issue.pattern ? `a string that matches ${issue.pattern}` : issue.format;
    default:
      return issue.message;
  }
}

/** "1 to 36" if the schema has both limits: an issue names only the one that was passed. */
function rangeAt(schema: $ZodType, { code, path }: $ZodIssue): string | undefined {
  if (code !== "too_small" && code !== "too_big") return undefined;
  const limits = (definitionAt(schema, path)?.checks ?? []).map((check) => check._zod.def);
  const limitOf = (name: string) => limits.find(({ check, inclusive }) => check === name && inclusive)?.value;
  const [min, max] = [limitOf("greater_than"), limitOf("less_than")];
  return min === undefined || max === undefined ? undefined : `${min} to ${max}`;
}

function show(value: unknown, showValues: boolean): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") return showValues ? String(value) : "a number";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "string") return showValues ? JSON.stringify(value.slice(0, 60)) : "a string";
  return `an ${typeof value}`;
}

type Definition = {
  shape?: Record<string, $ZodType>;
  innerType?: $ZodType;
  valueType?: $ZodType;
  element?: $ZodType;
  checks?: { _zod: { def: { check: string; value?: unknown; inclusive?: boolean } } }[];
};

function definitionAt(schema: $ZodType, path: readonly PropertyKey[]): Definition | undefined {
  const definition = schema._zod.def as Definition;
  if (definition.innerType) return definitionAt(definition.innerType, path);
  const [key, ...rest] = path;
  if (key === undefined) return definition;
  const inner = definition.shape?.[String(key)] ?? definition.valueType ?? definition.element;
  return inner && definitionAt(inner, rest);
}

/** Counts insertions, deletions, replacements, and swaps of two neighbors, each as one. */
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
