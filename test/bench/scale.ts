import {
  BatchWriteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  type QueryCommand,
  type WriteRequest,
} from "@aws-sdk/client-dynamodb";
import { type LocalTable, startTable, tableName } from "../../local/table.ts";
import { hasJava, startDynamoDbLocal } from "../support/dynamodb-local.ts";
import { evenlyDue, type Reads, store, sweep } from "../support/sweeps.ts";
import { aws } from "./counted.ts";
import { number, table } from "./figures.ts";

const sizes = [1_000, 10_000, 100_000, 1_000_000];
const minute = 60_000;
const day = 1440 * minute;
const month = 30.3 * day;
const midnight = Date.parse("2026-11-23T00:00:00Z");

/** Measures the daily reads of the schedule by table size. They must grow with the due subscriptions, not with the table. */
export async function scale(): Promise<void> {
  const rows: string[][] = [];
  for (const size of sizes) {
    const backend = await (hasJava() ? startDynamoDbLocal() : startTable(aws));
    const measured = await measure(backend, size).finally(backend.stop);
    for (const [when, runs, due, reads, ms] of measured)
      rows.push([number(size), when, ...figures(runs, due, reads, ms)]);
  }
  console.log(`\nReads of the schedule, by ${hasJava() ? "AWS's DynamoDB Local" : "dynalite"}, of a month's renewals`);
  const counted = [
    "runs",
    "due",
    "requests",
    "of these empty",
    "items read",
    "per due",
    "read units",
    "as billed",
    "ms a run",
  ];
  table([["subscriptions", "", ...counted], ...rows]);
  console.log("\n  As billed: a Query without results takes half a unit on AWS, and none here.");
}

type Measured = [when: string, runs: number, due: number, reads: Reads, ms: number];

const figures = (runs: number, due: number, { requests, empty, items, units }: Reads, ms: number): string[] =>
  [runs, due, requests, empty, items, items / due, units, units + empty / 2, ms / runs].map(number);

async function measure({ client }: LocalTable, size: number): Promise<Measured[]> {
  const save = inBatches(client);
  const loading = performance.now();
  await store(save, evenlyDue(size, midnight, month));
  await save.flush();
  console.log(`  ${size} subscriptions stored in ${number((performance.now() - loading) / 1000)} s`);

  /** The time at which all are due again, as provision schedules them. */
  const again = midnight + day + minute;
  const time = async (when: string, from: number, runs: number, dueAgain: number): Promise<Measured> => {
    let [due, spent] = [0, 0];
    let began = performance.now();
    const reads = await sweep(askingForUnits(client), { from, runs }, async (keys) => {
      spent += performance.now() - began;
      due += keys.length;
      await store(
        save,
        keys.map((key) => ({ key, at: dueAgain })),
      );
      await save.flush();
      began = performance.now();
    });
    return [when, runs, due, reads, spent];
  };
  const spread = await time("over a day", midnight, 1440, again);
  const together = await time("all in one minute", again - minute, 1, again + month);
  return [spread, together];
}

const askingForUnits = (client: DynamoDBClient): Pick<DynamoDBClient, "send"> => {
  const send = (command: { input: object }) => {
    Object.assign(command.input, { ReturnConsumedCapacity: "TOTAL" });
    return client.send(command as QueryCommand);
  };
  return { send } as Pick<DynamoDBClient, "send">;
};

/** Writes 25 states in one request, without their search terms. `renew` sees no difference. */
function inBatches(client: DynamoDBClient) {
  let puts: WriteRequest[] = [];
  const flush = async () => {
    const batches = Array.from({ length: Math.ceil(puts.length / 25) }, (_, i) => puts.slice(25 * i, 25 * i + 25));
    puts = [];
    const send = (batch: WriteRequest[]) =>
      client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: batch } }));
    await Promise.all(batches.map(send));
  };
  const send = async (command: unknown) => {
    if (!(command instanceof PutItemCommand)) throw new Error("only puts come here");
    const { Item } = command.input;
    if (Item?.sk?.S === "state") puts.push({ PutRequest: { Item } });
    if (puts.length >= 1000) await flush();
  };
  return { send, flush } as unknown as Pick<DynamoDBClient, "send"> & { flush(): Promise<void> };
}
