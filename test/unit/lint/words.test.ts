import { describe, expect, test } from "vitest";
import { rules } from "../../lint/glossary.ts";
import { findRejected } from "../../lint/words.ts";

const wordsIn = (text: string): string[] => findRejected(text).map(({ found }) => found);

describe("a rejected word is found", () => {
  test.each(rules.flatMap(({ words }) => words))("%s", (word) => {
    expect(wordsIn(`The text has ${word} in it.`)).toContain(word);
  });

  test.each([
    ["const toldAt = 1;", "told"],
    ["type ProbeWorld = {};", "World"],
    ["this.#nextDesk()", "Desk"],
    ["docs/0018-told-through.md", "told"],
    ["Mended catalogs", "Mended"],
  ])("in the name or text %j", (text, word) => {
    expect(wordsIn(text)).toEqual([word]);
  });

  test.each(["This needs a\nperson.", "/**\n * This needs\n * a person.\n */", "// This needs\n  // a person."])(
    "across the line break of %j",
    (text) => {
      expect(wordsIn(text)).toEqual(["needs a person"]);
    },
  );

  test("with its line and column", () => {
    expect(findRejected("one\n  two anew")).toMatchObject([{ line: 2, column: 7, found: "anew" }]);
  });
});

test.each(["amended, recommended", "worldwide", "indoors", "threshold", "judgement", "skipbasket=on", "?func=basket"])(
  "other words are accepted: %s",
  (text) => {
    expect(wordsIn(text)).toEqual([]);
  },
);

test("a sentence must not start with a subject clause", () => {
  expect(wordsIn("It works. What was sent is kept.")).toEqual(["What was sent is kept"]);
  expect(wordsIn("/** Of what is due the first. */")).toEqual(["Of what is due the first"]);
  expect(wordsIn("It fails. What now?\n\n## What is measured\n\nIt counts what was sent.")).toEqual([]);
});

test("no rule recommends a word that another one rejects", () => {
  expect(rules.flatMap(({ instead }) => wordsIn(instead))).toEqual([]);
});
