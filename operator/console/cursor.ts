import type { Page } from "../../shared/aws/items.ts";
import { tableIndexes } from "../../shared/aws/table.ts";

/** From where a list goes on, as it stands in an address. */
export const cursorOf = (page: Page): string => Buffer.from(JSON.stringify(page)).toString("base64url");

/** What is none begins the list anew. */
export function pageAt(cursor: string | undefined): Page | undefined {
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
