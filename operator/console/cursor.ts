/** Cursors of paged lists, as they appear in URLs. */
import type { Page } from "../../shared/aws/items.ts";

export const formatCursor = (page: Page): string => Buffer.from(JSON.stringify(page)).toString("base64url");

/** Returns undefined, the first page, for a cursor that this console did not make. */
export function parseCursor(cursor: string | undefined): Page | undefined {
  if (cursor === undefined) return undefined;
  try {
    const page: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (typeof page !== "object" || page === null) return undefined;
    const values = ["pk", "sk", "agenda", "agendaAt"].map((name) => (page as Record<string, { S?: unknown }>)[name]?.S);
    return Object.keys(page).length === 4 && values.every((value) => typeof value === "string")
      ? (page as Page)
      : undefined;
  } catch {
    return undefined;
  }
}
