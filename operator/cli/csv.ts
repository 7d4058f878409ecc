/** Reads and writes comma-separated values (RFC 4180). */
import { UsageError } from "../../shared/command-line/usage-error.ts";

/** `line` is the first line of the row, counted from 1. */
export type Row = { line: number; cells: string[] };

/**
 * Accepts both line ends and a byte-order mark. Spreadsheets in much of Europe separate cells by semicolons, so the header
 * row decides which separator is used.
 * @throws UsageError naming the line
 */
export function readCsv(text: string): Row[] {
  const body = text.replace(/^\uFEFF/, "");
  const separator = /^[^\n,]*;/.test(body) ? ";" : ",";
  const cell = new RegExp(`(?:"([^"]*(?:""[^"]*)*)"|([^"${separator}\\r\\n]*))(${separator}|\\r\\n|\\n|$)`, "y");
  const rows: Row[] = [];
  for (let line = 1; cell.lastIndex < body.length; ) {
    const row: Row = { line, cells: [] };
    let end = separator;
    while (end === separator) {
      const [whole, quoted, plain = "", ends = ""] = cell.exec(body) ?? [];
      if (whole === undefined)
        throw new UsageError(`line ${line}: a quotation mark is not closed, or is inside an unquoted cell`);
      row.cells.push(quoted?.replaceAll('""', '"') ?? plain);
      line += whole.split("\n").length - 1;
      end = ends;
    }
    rows.push(row);
  }
  return rows;
}

export const writeCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `${cells.map(quote).join(",")}\r\n`).join("");

const quote = (cell: string): string => (/[",;\r\n]|^\uFEFF/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
