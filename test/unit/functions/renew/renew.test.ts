import { expect, test } from "vitest";
import { renew } from "../../../../functions/renew/renew.ts";
import type { Page } from "../../../../shared/aws/items.ts";
import { agendaShards } from "../../../../shared/aws/table.ts";
import type { Key, Outgoing } from "../../../../shared/intake/message.ts";
import { dependenciesOf } from "../../../support/dependencies.ts";

const pages = 3;
const unclear: Key = "event#standard/unclear";
const depsAt = (now: string, sent: Outgoing[]) =>
  dependenciesOf({
    table: {
      due: async (shard: number, due: string, from?: Page) => {
        const page = from ? Number(from.page?.N) : 0;
        const key: Key = `subscription#standard/${shard}-${page}`;
        return { keys: [{ key, due }], ...(page < pages - 1 && { next: { page: { N: String(page + 1) } } }) };
      },
      attention: async () => ({
        keys: ["subscription#standard/asked" as Key, unclear].map((key) => ({
          key,
          since: now,
          latest: now,
          codes: [],
        })),
      }),
    },
    send: async (messages) => void sent.push(...messages),
    now: () => new Date(now),
  });
const quiet = "2026-11-23T08:01:00.000Z";

test("renew wakes every due subscription of every shard and page, with its due time as deduplication id", async () => {
  const sent: Outgoing[] = [];
  expect(await renew(depsAt(quiet, sent), () => 60_000)).toBe(agendaShards * pages);
  expect(new Set(sent.map(({ message }) => message.key)).size).toBe(agendaShards * pages);
  expect(sent.every(({ message, deduplicationId }) => message.kind === "wake" && deduplicationId === quiet)).toBe(true);
});

test("renew stops before its time is up and leaves the rest to the next run", async () => {
  const sent: Outgoing[] = [];
  expect(await renew(depsAt(quiet, sent), () => 4_000)).toBe(agendaShards);
});

test("renew wakes the subscriptions under attention every ten minutes, and no events", async () => {
  const sent: Outgoing[] = [];
  await renew(depsAt("2026-11-23T08:20:30.000Z", sent), () => 60_000);
  const asked = sent.filter(({ message }) => !/\d-\d$/.test(message.key));
  expect(asked).toEqual([
    { message: { key: "subscription#standard/asked", kind: "wake" }, deduplicationId: "2026-11-23T08:20" },
  ]);
});
