import { UsageError } from "../../shared/command-line/usage-error.ts";

/** `line`: where it begins, counted from 1. */
export type Row = { line: number; cells: string[] };

/**
 * Reads comma-separated values (RFC 4180), with either line end and an optional byte-order mark. Spreadsheets of much of
 * Europe separate by semicolons: the header tells.
 * @throws Mistake naming the line
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
        throw new UsageError(`line ${line}: a quotation mark that is not closed, or stands inside a cell`);
      row.cells.push(quoted?.replaceAll('""', '"') ?? plain);
      line += whole.split("\n").length - 1;
      end = ends;
    }
    rows.push(row);
  }
  return rows;
}

export const writeCsv = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `${cells.map(quoted).join(",")}\r\n`).join("");

const quoted = (cell: string): string => (/[",;\r\n]|^\uFEFF/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
