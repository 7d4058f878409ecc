import fc from "fast-check";
import { expect, test } from "vitest";
import { readCsv, writeCsv } from "../../operator/cli/csv.ts";

const cells = (rows: readonly { cells: string[] }[]) => rows.map((row) => row.cells);
const cell = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ",", ";", "\r", "\n", "a", "\uFEFF") }));
const table = fc.integer({ min: 1, max: 5 }).chain((width) => {
  const header = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1 }), {
    minLength: width,
    maxLength: width,
  });
  return fc
    .tuple(header, fc.array(fc.array(cell, { minLength: width, maxLength: width })))
    .map(([first, rest]) => [first, ...rest]);
});

test("readCsv returns the cells that writeCsv wrote", () => {
  fc.assert(
    fc.property(table, (rows) => {
      expect(cells(readCsv(writeCsv(rows)))).toEqual(rows);
    }),
  );
});

test("readCsv accepts a byte-order mark, plain line ends, and a missing last line end", () => {
  fc.assert(
    fc.property(table, fc.boolean(), fc.boolean(), (rows, marked, open) => {
      // An empty last line does not count as a row.
      fc.pre(!open || rows.at(-1)?.join("") !== "");
      const written = writeCsv(rows);
      const given = `${marked ? "\uFEFF" : ""}${open ? written.replace(/\r\n$/, "") : written}`;
      expect(cells(readCsv(given))).toEqual(rows);
    }),
  );
  expect(cells(readCsv("a,b\n1,2\n"))).toEqual([
    ["a", "b"],
    ["1", "2"],
  ]);
});

test("semicolons separate the cells if the header contains them", () => {
  expect(cells(readCsv('a;b\r\n"1,5";"x;y"\r\n'))).toEqual([
    ["a", "b"],
    ["1,5", "x;y"],
  ]);
});

test("the line of a row is the line where it begins", () => {
  fc.assert(
    fc.property(table, (rows) => {
      const written = writeCsv(rows);
      const lines = written.split("\n");
      for (const [i, { line }] of readCsv(written).entries()) {
        const rest = lines.slice(line - 1).join("\n");
        expect(cells(readCsv(`${writeCsv([rows[0] ?? []])}${rest}`)).slice(1)).toEqual(rows.slice(i));
      }
    }),
  );
});

test.each(['a,b\n1,"2', 'a,b\n1,2"3', 'a,b\n1,"2"3'])("the error about the malformed CSV %j names the line", (text) => {
  expect(() => readCsv(text)).toThrow("line 2: a quotation mark");
});

test("a long cell is read", () => {
  const long = 'x""'.repeat(300_000);
  expect(readCsv(`a\n"${long}"`)[1]?.cells[0]).toHaveLength(600_000);
});
