/** Exports all stored data as lines of a documented format. */
import type { Page } from "../../shared/aws/items.ts";
import type { StoredItem } from "../../shared/aws/scan-all.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import { partsOf } from "../../shared/intake/message.ts";
import type { Instant } from "../../shared/licensing/time.ts";
import { nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";

/** Raised when a field of a line changes its meaning. */
export const exportVersion = 1;

/** `of` names the subscription, or the payment (`reference`) or event that is not linked to one. The keys are a public format. */
export type ExportedLine =
  | { is: "export"; version: number; at: Instant; from: string }
  | ({ is: StoredItem["kind"]; kind: string; of: string } & Record<string, unknown>);

/**
 * Exports all stored data about subscriptions. Holds one page of the table in memory at a time.
 * @param from the exported system, as the operator named it
 */
export async function* exportLines(
  from: string,
  deps: Pick<OperatorDependencies, "table" | "now">,
): AsyncGenerator<ExportedLine, void, undefined> {
  yield { is: "export", version: exportVersion, at: nowOf(deps), from };
  let page: Page | undefined;
  do {
    const { found, next } = await deps.table.scanAll(page);
    for (const item of found) yield lineOf(item);
    page = next;
  } while (page);
}

function lineOf(item: StoredItem): ExportedLine {
  const { key, kind: is, ...content } = item;
  const subject = { is, kind: partsOf(key).kind, of: nameOf(key) };
  if ("to" in item) return { ...subject, ...content, to: nameOf(item.to) };
  if (item.kind !== "event") return { ...subject, ...content };
  const { received } = item.event;
  return { ...subject, event: { ...item.event, received: { ...received, body: unpack(received.body) } } };
}
