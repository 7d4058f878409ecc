import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { explain, pathOf, suggest } from "../../../shared/problems.ts";
import { canary } from "../../support/secrets.ts";

test.each([
  [[], "(top)"],
  [["plans", "vm-monthly", "period"], "plans.vm-monthly.period"],
  [["list", 0, "name"], "list[0].name"],
  [["plans", 'a "b"'], 'plans["a "b""]'],
  [[0], "[0]"],
])("the path %j reads %s", (path, text) => {
  expect(pathOf(path)).toBe(text);
});

describe("a suggestion", () => {
  test.each([
    ["polcy", ["policy", "plans"], ', did you mean "policy"?'],
    ["POLICY", ["policy"], ', did you mean "policy"?'],
    ["x", ["y"], ', did you mean "y"?'],
    ["elephant", ["policy", "plans"], ", expected policy, plans"],
    ["elephant", [], ""],
  ])("for %j among %j", (word, known, text) => {
    expect(suggest(word, known)).toBe(text);
  });
});

describe("an explanation", () => {
  const schema = z.object({
    count: z.int(),
    name: z.string(),
    either: z.optional(z.union([z.string(), z.number()])),
  });
  const response = (value: unknown, options?: { showValues: boolean }) => {
    const { error } = z.safeParse(schema, value);
    return explain(schema, error?.issues ?? [], value, options);
  };

  test("says each problem once, in one line", () => {
    expect(response({ count: 1.5, either: true })).toEqual([
      "count: found 1.5, expected a whole number",
      "name: missing, expected a string",
      "either: found true, expected a string or a number",
    ]);
  });

  test("shows the beginning of a long text", () => {
    expect(response({ count: "x".repeat(99), name: "n" })).toEqual([
      `count: found "${"x".repeat(60)}", expected a number`,
    ]);
  });

  test.each([[canary], [48_151_623], [[canary]], [{ [canary]: true }]])(
    "shows nothing of %j where it may not",
    (secret) => {
      const lines = response({ count: Array.isArray(secret) ? secret : 1, name: secret }, { showValues: false }).join();
      expect(lines).not.toMatch(new RegExp(`${canary}|48151623`));
    },
  );
});
