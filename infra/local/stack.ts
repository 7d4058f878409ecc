import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Log } from "../../functions/log.ts";
import { brakeIn } from "../../functions/provision/brake.ts";
import { createHandler as createProvision } from "../../functions/provision/handler.ts";
import { renew } from "../../functions/renew/renew.ts";
import { createHandler as createWebhook } from "../../functions/webhook/handler.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import { parseSecrets, secretsIn } from "../../shared/aws/secrets.ts";
import { agendaShards, createTable, type Table } from "../../shared/aws/table.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { earliest, toInstant } from "../../shared/licensing/time.ts";
import { timelyAt } from "../../shared/storefronts/signatures.ts";
import { type Clock, createClock } from "./clock.ts";
import { createDoor } from "./door.ts";
import { type LocalAws, pump, startQueue } from "./queue.ts";
import { createSandbox, type Sandbox, type SandboxState } from "./sandbox/index.ts";
import { serveSecrets } from "./secrets.ts";
import { serve } from "./serve.ts";
import { startTable, tableName } from "./table.ts";

export type Options = {
  port?: number;
  catalog: Catalog;
  /** Reads the secrets as JSON text, at each use. */
  secrets: () => string;
  /** A real or test billmgr; without it, the sandbox. */
  billmgr?: string;
  /** Keeps table, queue, clock and sandbox over restarts. */
  data?: string;
  /** Where the local clock starts. */
  clock?: Date;
  log: Log;
  /** Milliseconds of real time between two runs of the schedule; AWS has a minute. */
  scheduleEvery?: number;
  sandboxSettings?: Parameters<Sandbox["configure"]>[0];
};

/** The parts of the deployed stack on one machine: the functions' own code, embedded services, one clock. */
export type LocalStack = {
  url: string;
  clock: Clock;
  /** Absent with a real billmgr. */
  sandbox?: Sandbox;
  table: Table;
  /** Runs the schedule until nothing is due and nothing is queued. */
  settle: () => Promise<void>;
  /** Moves the clock, stopping wherever something is due on the way. */
  advanceTo: (moment: Date) => Promise<void>;
  stop: () => Promise<void>;
};

const aws: LocalAws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
const provisionTimeoutMs = 180_000;
const secretsKeptSeconds = 2;

export async function startStack(options: Options): Promise<LocalStack> {
  const { catalog, data, log } = options;
  const kept = data ? keepIn(data) : undefined;
  const offset = options.clock ? options.clock.getTime() - Date.now() : (kept?.state.offset ?? 0);
  const clock = createClock(offset);
  const { now } = clock;

  const tableServer = await startTable(aws, data && join(data, "table"));
  const queue = await startQueue(aws, data && join(data, "queue"));
  const secretsServer = await serveSecrets(options.secrets);
  const secretsClient = new SecretsManagerClient({ ...aws, endpoint: secretsServer.url });
  const secrets = secretsIn(secretsClient, "local", secretsKeptSeconds);
  const table = createTable(tableServer.client, tableName);
  const send = sendTo(queue.client, queue.url);

  const sandbox = options.billmgr
    ? undefined
    : createSandbox({
        now,
        authinfo: () => parseSecrets(JSON.parse(options.secrets())).billmgr,
        ...(options.sandboxSettings && { settings: options.sandboxSettings }),
        ...(kept?.state.sandbox && { state: kept.state.sandbox }),
        onChange: () => keep(),
      });
  const keep = () => kept?.write({ offset: clock.offset(), ...(sandbox && { sandbox: sandbox.snapshot() }) });

  // A script may sign by the local clock, a storefront's test mode signs by the real one.
  const timely = timelyAt(() => now().getTime(), Date.now);
  const webhook = createWebhook({ secrets, send, timely, now, log });
  const door = createDoor({
    webhook,
    sandbox,
    clock,
    advanceTo: (moment) => advanceTo(moment),
    table,
  });
  const server = await serve(door, options.port);
  const billmgrUrl = options.billmgr ?? `${server.url}/manager/billmgr`;
  const provision = createProvision({
    table,
    billmgr: createBillmgr(postTo(billmgrUrl), async () => (await secrets()).billmgr, {
      brake: brakeIn(table, now, log),
      fundsErrors: catalog.billmgr.fundsErrors,
    }),
    catalog: { ...catalog, policy: { ...catalog.policy, acceptTestMode: true } },
    send,
    returnSoon: returnSoonTo(queue.client, queue.url),
    now,
    log,
  });
  const stopPump = pump(queue, provision, provisionTimeoutMs, catalog.limits.concurrency);

  const sweep = (attentionToo?: boolean) =>
    renew({ table, send, now, log }, () => Number.POSITIVE_INFINITY, attentionToo);
  const schedule = setInterval(() => {
    sweep().catch((error: unknown) => log.error("the schedule failed", { error: String(error) }));
  }, options.scheduleEvery ?? 1000);

  const idle = async () => {
    const patience = Date.now() + 30_000;
    while (queue.size() > 0 && Date.now() < patience) await pause(5);
  };
  const dueAt = async () => {
    const shards = await Promise.all(Array.from({ length: agendaShards }, (_, shard) => table.due(shard, farFuture)));
    return earliest(shards.flatMap(({ keys }) => keys.map(({ due }) => due)));
  };
  const settle = async () => {
    let last: string | undefined;
    for (;;) {
      await idle();
      const due = await dueAt();
      // What is due again at once, unmoved, waits for something that only real time brings.
      if (due === undefined || due > toInstant(now()) || due === last) return;
      last = due;
      await sweep();
    }
  };
  const advanceTo = async (moment: Date) => {
    for (;;) {
      await settle();
      const due = await dueAt();
      if (due === undefined || due > toInstant(moment)) break;
      if (due > toInstant(now())) clock.moveTo(new Date(due));
      else break;
    }
    clock.moveTo(moment);
    await sweep(true);
    await settle();
    keep();
  };

  return {
    url: server.url,
    clock,
    ...(sandbox && { sandbox }),
    table,
    settle,
    advanceTo,
    stop: async () => {
      clearInterval(schedule);
      await stopPump();
      await server.close();
      await Promise.all([queue.stop(), tableServer.stop(), secretsServer.close()]);
      secretsClient.destroy();
      keep();
    },
  };
}

const farFuture = "9999-12-31T00:00:00.000Z";
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Kept = { offset: number; sandbox?: SandboxState };

function keepIn(directory: string): { state: Kept; write: (state: Kept) => void } {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "local.json");
  return {
    state: existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : { offset: 0 },
    write: (state) => {
      writeFileSync(`${file}.new`, JSON.stringify(state));
      renameSync(`${file}.new`, file);
    },
  };
}
