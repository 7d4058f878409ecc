import type { Page } from "../../shared/aws/items.ts";
import type { StoredItem } from "../../shared/aws/scan-all.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import { partsOf } from "../../shared/intake/message.ts";
import type { Instant } from "../../shared/licensing/time.ts";
import { nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";

/** Raised when what a line holds changes its meaning. */
export const exportVersion = 1;

/** `of`: the subscription, or the payment (`reference`) or event that is known to belong to none. */
export type ExportedLine =
  | { is: "export"; version: number; at: Instant; from: string }
  | ({ is: StoredItem["kind"]; kind: string; of: string } & Record<string, unknown>);

/**
 * All that is known of every subscription, one page of the table at a time: each line tells what it is, and of whom.
 * @param from what is exported, in the operator's words
 */
export async function* exported(
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
  const of = { is, kind: partsOf(key).kind, of: nameOf(key) };
  if (item.kind === "link") return { ...of, to: nameOf(item.to) };
  if (item.kind !== "event") return { ...of, ...content };
  const { received } = item.event;
  return { ...of, event: { ...item.event, received: { ...received, body: unpack(received.body) } } };
}
