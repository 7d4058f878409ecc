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
import { createTimeControl, type TimeControl } from "./advance.ts";
import { type Clock, createClock } from "./clock.ts";
import { startFunctions } from "./functions.ts";
import { createLocalConsole } from "./page.ts";
import { startQueue } from "./queue.ts";
import { createRequestHandler } from "./routes.ts";
import { serveSecrets } from "./secrets.ts";
import { createSandbox, type Sandbox, type SandboxState } from "./simulators/billmgr/index.ts";
import { startTable, tableName } from "./table.ts";

export type Options = {
  port?: number;
  catalog: Catalog;
  /** Reads the secrets as JSON text, at each use. */
  secrets: () => string;
  /** The URL of a real or test billmgr; without it, the sandbox. */
  billmgr?: string;
  /** The directory that keeps table, queue, clock, and sandbox between runs. */
  data?: string;
  /** The initial local time. */
  clock?: Date;
  log: Log;
  metrics?: Metrics;
  /** Real time between two runs of the schedule. On AWS it is a minute. */
  scheduleIntervalMs?: number;
  sandboxSettings?: Parameters<Sandbox["configure"]>[0];
};

/** The deployed system on one machine: the same functions, embedded services, and one clock. */
export type LocalStack = TimeControl & {
  url: string;
  clock: Clock;
  /** Absent with a real billmgr. */
  sandbox?: Sandbox;
  table: Table;
  /** The events that were published since the start. */
  events: Announcement[];
  stop: () => Promise<void>;
};

const secretId = "local";
const secretsMaxAgeSeconds = 2;

export async function startStack(options: Options): Promise<LocalStack> {
  const { catalog, data, log } = options;
  const stateFile = data ? openStateFile(data) : undefined;
  const offset = options.clock ? options.clock.getTime() - Date.now() : (stateFile?.state.offset ?? 0);
  const clock = createClock(offset);

  const tableServer = await startTable(localAws, data && join(data, "table"));
  const queue = await startQueue(localAws, data && join(data, "queue"));
  const secretsServer = await serveSecrets(options.secrets);
  const secretsClient = new SecretsManagerClient({ ...localAws, endpoint: secretsServer.url });
  const secrets = secretsIn(secretsClient, secretId, secretsMaxAgeSeconds);
  const table = createTable(tableServer.client, tableName);

  const sandbox = options.billmgr
    ? undefined
    : createSandbox({
        now: clock.now,
        authinfo: () => parseSecrets(JSON.parse(options.secrets())).billmgr,
        ...(options.sandboxSettings && { settings: options.sandboxSettings }),
        ...(stateFile?.state.sandbox && { state: stateFile.state.sandbox }),
        onChange: () => saveState(),
      });
  const saveState = () => stateFile?.write({ offset: clock.offset(), ...(sandbox && { sandbox: sandbox.snapshot() }) });
  // Preserves the clock even if the process is killed before anything changes.
  saveState();

  const server = await serve((request, response) => handleRequest(request, response), options.port);
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
    ...(options.scheduleIntervalMs && { scheduleIntervalMs: options.scheduleIntervalMs }),
  });
  const { sweep, announce } = functions;
  const time = createTimeControl({ clock, table, queue, sweep, announce });
  const advanceTo = async (moment: Date) => {
    await time.advanceTo(moment);
    saveState();
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
  const localConsole = createLocalConsole({
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
  const handleRequest = createRequestHandler({
    webhook: functions.webhook,
    sandbox,
    clock,
    advanceTo,
    table,
    events,
    parts,
    page: localConsole.handle,
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
      await localConsole.drain();
      await Promise.all([queue.stop(), tableServer.stop(), secretsServer.close()]);
      secretsClient.destroy();
      saveState();
    },
  };
}

type SavedState = { offset: number; sandbox?: SandboxState };

/** The state that table and queue do not hold: the clock and the sandbox. */
function openStateFile(directory: string): { state: SavedState; write: (state: SavedState) => void } {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, "local.json");
  return {
    state: existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as SavedState) : { offset: 0 },
    write: (state) => {
      writeFileSync(`${file}.new`, JSON.stringify(state));
      renameSync(`${file}.new`, file);
    },
  };
}
