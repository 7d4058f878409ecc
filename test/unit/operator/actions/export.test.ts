import { expect, test } from "vitest";
import { exportLines } from "../../../../operator/actions/export.ts";
import type { Page } from "../../../../shared/aws/items.ts";
import type { StoredItem } from "../../../../shared/aws/scan-all.ts";
import type { Table } from "../../../../shared/aws/table.ts";

test("an export reads the next page only after the previous one is written", async () => {
  const pages = 3;
  let read = 0;
  const scanAll = async (from?: Page) => {
    const page = Number(from?.page?.N ?? 0);
    read = page + 1;
    const found: StoredItem[] = [1, 2].map((n) => ({
      key: `reference#standard/${page}-${n}`,
      kind: "link",
      to: "event#standard/1",
    }));
    return { found, ...(read < pages && { next: { page: { N: String(read) } } }) };
  };
  const table = { scanAll } as unknown as Table;
  const pagesRead: number[] = [];
  const lines: unknown[] = [];
  for await (const line of exportLines("a test", { table, now: () => new Date("2026-11-23T08:00:00Z") })) {
    pagesRead.push(read);
    lines.push(line);
  }
  expect(pagesRead).toEqual([0, 1, 1, 2, 2, 3, 3]);
  expect(lines.slice(0, 2)).toEqual([
    { is: "export", version: 1, at: "2026-11-23T08:00:00.000Z", from: "a test" },
    { is: "link", kind: "reference", of: "standard/0-1", to: "standard/1" },
  ]);
});
