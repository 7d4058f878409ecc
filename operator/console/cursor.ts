/** Cursors of paged lists, as they appear in URLs. */
import type { Page } from "../../shared/aws/items.ts";
import { tableIndexes } from "../../shared/aws/table.ts";

export const formatCursor = (page: Page): string => Buffer.from(JSON.stringify(page)).toString("base64url");

/** Returns undefined, the first page, for a cursor that this console did not make. */
export function parseCursor(cursor: string | undefined): Page | undefined {
  if (cursor === undefined) return undefined;
  try {
    const page: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (typeof page !== "object" || page === null) return undefined;
    const isKeyOf = (names: readonly string[]) =>
      Object.keys(page).length === names.length &&
      names.every((name) => typeof (page as Record<string, { S?: unknown }>)[name]?.S === "string");
    return tableIndexes.some(({ keys }) => isKeyOf(["pk", "sk", ...keys])) ? (page as Page) : undefined;
  } catch {
    return undefined;
  }
}
