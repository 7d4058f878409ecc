import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { explain, formatPath, formatProblem, suggest } from "../../../shared/problems.ts";
import { canary } from "../../support/secrets.ts";

test.each([
  [[], "(top)"],
  [["plans", "vm-monthly", "period"], "plans.vm-monthly.period"],
  [["list", 0, "name"], "list[0].name"],
  [["plans", 'a "b"'], 'plans["a "b""]'],
  [[0], "[0]"],
])("the path %j is formatted as %s", (path, text) => {
  expect(formatPath(path)).toBe(text);
});

describe("a suggestion", () => {
  test.each([
    ["polcy", ["policy", "plans"], '; did you mean "policy"?'],
    ["POLICY", ["policy"], '; did you mean "policy"?'],
    ["x", ["y"], '; did you mean "y"?'],
    ["elephant", ["policy", "plans"], "; expected policy, plans"],
    ["elephant", [], ""],
  ])("for %j among %j is %j", (word, known, text) => {
    expect(suggest(word, known)).toBe(text);
  });
});

describe("an explanation", () => {
  const schema = z.object({
    count: z.int(),
    name: z.string(),
    either: z.optional(z.union([z.string(), z.number()])),
    months: z._default(z.int().check(z.gte(1), z.lte(36)), 1),
    age: z.optional(z.number().check(z.gte(0))),
  });
  const explained = (value: unknown, options?: { showValues: boolean }) => {
    const { error } = z.safeParse(schema, value);
    return explain(schema, error?.issues ?? [], value, options).map(formatProblem);
  };

  test("describes each problem once, in one line", () => {
    expect(explained({ count: 1.5, either: true })).toEqual([
      "count is 1.5; expected a whole number",
      "name is missing; expected a string",
      "either is true; expected a string or a number",
    ]);
  });

  test.each([
    [{ months: 0 }, "months is 0; expected 1 to 36"],
    [{ months: 37 }, "months is 37; expected 1 to 36"],
    [{ age: -1 }, "age is -1; expected at least 0"],
  ])("of %j names the whole range, if there is one", (value, text) => {
    expect(explained({ count: 1, name: "n", ...value })).toEqual([text]);
  });

  test("shows the beginning of a long text", () => {
    expect(explained({ count: "x".repeat(99), name: "n" })).toEqual([
      `count is "${"x".repeat(60)}"; expected a number`,
    ]);
  });

  test.each([[canary], [48_151_623], [[canary]], [{ [canary]: true }]])(
    "does not show %j if values are hidden",
    (secret) => {
      const lines = explained(
        { count: Array.isArray(secret) ? secret : 1, name: secret },
        { showValues: false },
      ).join();
      expect(lines).not.toMatch(new RegExp(`${canary}|48151623`));
    },
  );
});
