import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { localAws } from "../shared/aws/local-parts.ts";
import { parseSecrets, secretsIn } from "../shared/aws/secrets.ts";
import { createTable, type Table } from "../shared/aws/table.ts";
import { serve } from "../shared/http/serve.ts";
import type { Announcement } from "../shared/licensing/announcement.ts";
import type { Catalog } from "../shared/licensing/catalog.ts";
import type { Log } from "../shared/observability/log.ts";
import type { Metrics } from "../shared/observability/metrics.ts";
import { type Time, timeOf } from "./advance.ts";
import { type Clock, createClock } from "./clock.ts";
import { startFunctions } from "./functions.ts";
import { localPage } from "./page.ts";
import { startQueue } from "./queue.ts";
import { createDoor } from "./routes.ts";
import { serveSecrets } from "./secrets.ts";
import { createSandbox, type Sandbox, type SandboxState } from "./simulators/billmgr/index.ts";
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
  metrics?: Metrics;
  /** Milliseconds of real time between two runs of the schedule; AWS has a minute. */
  scheduleEvery?: number;
  sandboxSettings?: Parameters<Sandbox["configure"]>[0];
};

/** The parts of the deployed stack on one machine: the functions' own code, embedded services, one clock. */
export type LocalStack = Time & {
  url: string;
  clock: Clock;
  /** Absent with a real billmgr. */
  sandbox?: Sandbox;
  table: Table;
  /** What was put onto the bus since the start. */
  events: Announcement[];
  stop: () => Promise<void>;
};

const secretId = "local";
const secretsKeptSeconds = 2;

export async function startStack(options: Options): Promise<LocalStack> {
  const { catalog, data, log } = options;
  const kept = data ? keepIn(data) : undefined;
  const offset = options.clock ? options.clock.getTime() - Date.now() : (kept?.state.offset ?? 0);
  const clock = createClock(offset);

  const tableServer = await startTable(localAws, data && join(data, "table"));
  const queue = await startQueue(localAws, data && join(data, "queue"));
  const secretsServer = await serveSecrets(options.secrets);
  const secretsClient = new SecretsManagerClient({ ...localAws, endpoint: secretsServer.url });
  const secrets = secretsIn(secretsClient, secretId, secretsKeptSeconds);
  const table = createTable(tableServer.client, tableName);

  const sandbox = options.billmgr
    ? undefined
    : createSandbox({
        now: clock.now,
        authinfo: () => parseSecrets(JSON.parse(options.secrets())).billmgr,
        ...(options.sandboxSettings && { settings: options.sandboxSettings }),
        ...(kept?.state.sandbox && { state: kept.state.sandbox }),
        onChange: () => keep(),
      });
  const keep = () => kept?.write({ offset: clock.offset(), ...(sandbox && { sandbox: sandbox.snapshot() }) });
  // The clock goes on from here also after a process that is killed before anything else happens.
  keep();

  const server = await serve((request, response) => door(request, response), options.port);
  const billmgr = options.billmgr ?? `${server.url}/manager/billmgr`;
  const events: Announcement[] = [];
  const functions = startFunctions({
    table,
    queue,
    secrets,
    billmgr,
    catalog,
    now: clock.now,
    log,
    publish: async (announcements) => {
      for (const { id, ...announcement } of announcements) log.info(`event ${id}`, announcement);
      events.push(...announcements);
      return [];
    },
    ...(options.metrics && { metrics: options.metrics }),
    ...(options.scheduleEvery && { scheduleEvery: options.scheduleEvery }),
  });
  const { sweep, announce } = functions;
  const time = timeOf({ clock, table, queue, sweep, announce });
  const advanceTo = async (moment: Date) => {
    await time.advanceTo(moment);
    keep();
  };
  const parts = () => ({
    region: localAws.region,
    table: { endpoint: tableServer.endpoint, name: tableName },
    queue: { endpoint: queue.endpoint, url: queue.url },
    secrets: { endpoint: secretsServer.url, id: secretId },
    billmgr,
    catalog,
    now: clock.now().toISOString(),
  });
  const page = localPage({
    url: server.url,
    table,
    queue,
    clock,
    catalog,
    billmgr,
    secrets,
    secretsText: options.secrets,
    sandbox,
    settle: time.settle,
    advanceTo,
  });
  const door = createDoor({
    webhook: functions.webhook,
    sandbox,
    clock,
    advanceTo,
    table,
    events,
    parts,
    page: page.handle,
  });

  return {
    url: server.url,
    clock,
    ...(sandbox && { sandbox }),
    table,
    events,
    settle: time.settle,
    advanceTo,
    stop: async () => {
      await functions.stop();
      await server.close();
      await page.rest();
      await Promise.all([queue.stop(), tableServer.stop(), secretsServer.close()]);
      secretsClient.destroy();
      keep();
    },
  };
}

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
