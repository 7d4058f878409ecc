import type { Page } from "../../shared/aws/items.ts";

/** From where a list goes on, as it stands in an address. */
export const cursorOf = (page: Page): string => Buffer.from(JSON.stringify(page)).toString("base64url");

/** What is none begins the list anew. */
export function pageAt(cursor: string | undefined): Page | undefined {
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
