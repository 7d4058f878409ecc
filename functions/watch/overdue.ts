import { agendaShards, type Table } from "../../shared/aws/table.ts";
import type { Instant } from "../../shared/licensing/time.ts";
import type { Key } from "../../shared/message.ts";

/** Of what was due until then the longest. */
export async function longestDue(
  table: Pick<Table, "due">,
  until: Instant,
): Promise<{ key: Key; due: Instant } | undefined> {
  const pages = await Promise.all(
    Array.from({ length: agendaShards }, (_, shard) => table.due(shard, until, undefined, 1)),
  );
  const [first] = pages.flatMap(({ keys }) => keys.slice(0, 1)).sort((a, b) => (a.due < b.due ? -1 : 1));
  return first;
}
