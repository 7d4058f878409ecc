import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { renew } from "../../functions/renew/renew.ts";
import { tableName } from "../../local/table.ts";
import { createTable } from "../../shared/aws/table.ts";
import { type Key, keyOf, partsOf } from "../../shared/intake/message.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import { dependenciesOf } from "./dependencies.ts";

type Client = Pick<DynamoDBClient, "send">;

/** A subscription and the time when it is next due, in milliseconds. */
export type Due = { key: Key; at: number };

/** The reads of the schedule. `empty` counts the requests without results. `units` is 0 unless the client requests them. */
export type Reads = { requests: number; empty: number; items: number; units: number };

/** Subscriptions that are due at even intervals from `from`, over `ms` milliseconds. */
export const evenlyDue = (count: number, from: number, ms: number, name = "even"): Due[] =>
  Array.from({ length: count }, (_, n) => ({
    key: keyOf("subscription", "standard", `${name}-${n}`),
    at: from + ((n + 0.5) / count) * ms,
  }));

/** Stores new subscriptions that are due. They replace those of the given version. */
export async function store(client: Client, due: readonly Due[], version = 0): Promise<void> {
  const table = createTable(client, tableName);
  for (const { key, at } of due) {
    const { storefront, id } = partsOf(key);
    const subscription = newSubscription(storefront, id);
    await table.save(key, { subscription, version, due: toInstant(new Date(at)) });
  }
}

/** Runs the schedule once a minute, and passes the woken subscriptions of each run to `woken`. */
export async function sweep(
  client: Client,
  { from, runs }: { from: number; runs: number },
  woken: (keys: Key[], now: number) => Promise<void>,
): Promise<Reads> {
  const reads: Reads = { requests: 0, empty: 0, items: 0, units: 0 };
  const table = createTable(counting(client, reads), tableName);
  for (let run = 1; run <= runs; run++) {
    const now = from + run * 60_000;
    const keys: Key[] = [];
    const send = async (messages: readonly { message: { key: Key } }[]) => {
      keys.push(...messages.map(({ message }) => message.key));
    };
    await renew(dependenciesOf({ table, send, now: () => new Date(now) }), () => 50_000);
    await woken(keys, now);
  }
  return reads;
}

type Found = { ScannedCount?: number; ConsumedCapacity?: { CapacityUnits?: number } };

const counting = (client: Client, reads: Reads): Client =>
  ({
    send: async (command: Parameters<Client["send"]>[0]) => {
      const found = (await client.send(command)) as Found;
      reads.requests++;
      reads.items += found.ScannedCount ?? 0;
      reads.empty += found.ScannedCount ? 0 : 1;
      reads.units += found.ConsumedCapacity?.CapacityUnits ?? 0;
      return found;
    },
  }) as Client;
