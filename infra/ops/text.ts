/** Rows under each other, each column as wide as its longest cell. */
export function columns(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows
    .map((row) => (indent + row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")).trimEnd())
    .join("\n");
}

export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? "" : "s"}`;

/** "2026-11-23 08:00:01": UTC, as everything here. */
export const moment = (instant: string): string => instant.slice(0, 19).replace("T", " ");

export const parameters = (params: Record<string, string>): string =>
  Object.entries(params)
    .filter(([name]) => name !== "out" && name !== "lang")
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
