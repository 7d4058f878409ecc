import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { accepted, rules } from "./glossary.ts";

// Finds words that the glossary does not allow, in docs and in code: comments, texts, identifiers, and file names.

export type Hit = { line: number; column: number; found: string; instead: string };

/** Between two words of a phrase a line can break, also in a comment. */
const gap = "(?:\\s|\\*|//)+";

/** Matches whole words, and parts of camelCase identifiers. */
function patternOf(words: readonly string[]): RegExp {
  const any = words.map((word) => {
    const [first = "", rest] = [word[0], word.slice(1).replaceAll(" ", gap)];
    return `(?:(?<![A-Za-z])[${first}${first.toUpperCase()}]|(?<=[a-z0-9])${first.toUpperCase()})${rest}(?![a-z])`;
  });
  return new RegExp(any.join("|"), "g");
}

const patterns = rules.map(({ words, instead }) => ({ pattern: patternOf(words), instead }));

/** "What was sent is kept." A question may start with "What", and so may a heading. */
const subjectClauses = {
  pattern: /(?<=[.!?]\s+|\/\*\*\s+|\/\/\s+|\|\s+|^[-*]\s+|\n\n)(?:Of what|What)\s[^.?!|]*(?![^.?!|]*\?)/gm,
  instead: "a subject and a verb: a sentence does not start with a clause",
};

export function findRejected(text: string): Hit[] {
  const checked = accepted.reduce((masked, word) => masked.replaceAll(word, (name) => "_".repeat(name.length)), text);
  return [...patterns, subjectClauses]
    .flatMap(({ pattern, instead }) =>
      [...checked.matchAll(pattern)].map(({ 0: found, index }) => {
        const before = checked.slice(0, index).split("\n");
        const column = (before.at(-1)?.length ?? 0) + 1;
        return { line: before.length, column, found: found.replace(/[\s*/]+/g, " ").slice(0, 40), instead };
      }),
    )
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function filesToCheck(): string[] {
  const kinds = ["*.md", "*.ts", "*.js", "*.mjs", "*.css", "*.php", "*.sh", "*.yml"];
  const listed = execFileSync("git", ["ls-files", "-co", "--exclude-standard", "--", ...kinds], { encoding: "utf8" });
  // These list the rejected words.
  const isGlossary = (file: string) => /^test\/(?:unit\/)?lint\/|^docs\/glossary\.md$/.test(file);
  return listed.split("\n").filter((file) => file !== "" && !isGlossary(file) && existsSync(file));
}

if (import.meta.main) {
  let count = 0;
  const report = (place: string, { found, instead }: Hit) => {
    count++;
    console.log(`${place}: "${found}": write ${instead}`);
  };
  for (const file of filesToCheck()) {
    for (const hit of findRejected(file)) report(`${file} (file name)`, hit);
    for (const hit of findRejected(readFileSync(file, "utf8"))) report(`${file}:${hit.line}:${hit.column}`, hit);
  }
  if (count > 0) {
    console.error(`${count} words are not in the glossary: test/lint/glossary.ts.`);
    process.exitCode = 1;
  }
}
