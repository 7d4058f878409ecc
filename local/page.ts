import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { operatorsBillmgr } from "../operator/cli/billmgr.ts";
import { createConsole } from "../operator/console/app.ts";
import { sendTo } from "../shared/aws/queue.ts";
import { parseSecrets, type Secrets } from "../shared/aws/secrets.ts";
import type { Table } from "../shared/aws/table.ts";
import { acceptingTests, type Catalog } from "../shared/licensing/catalog.ts";
import type { Clock } from "./clock.ts";
import type { QueueAddress } from "./pump.ts";
import type { Sandbox } from "./simulators/billmgr/index.ts";
import { createTryIt } from "./try.ts";

type ConsoleDependencies = {
  /** The URL of the local system. */
  url: string;
  table: Table;
  queue: QueueAddress;
  clock: Clock;
  catalog: Catalog;
  billmgr: string;
  secrets: () => Promise<Secrets>;
  /** Reads the secrets as JSON text. */
  secretsText: () => string;
  sandbox: Sandbox | undefined;
  settle: () => Promise<void>;
  advanceTo: (moment: Date) => Promise<void>;
};

type LocalConsole = {
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Resolves once all requests are finished. */
  drain: () => Promise<void>;
};

/** The operator's console for the local system, with the pages to try it. */
export function createLocalConsole(deps: ConsoleDependencies): LocalConsole {
  const { table, queue, clock, billmgr, secrets, secretsText, sandbox } = deps;
  const shared = { table, catalog: acceptingTests(deps.catalog), now: clock.now };
  const app = createConsole({
    where: sandbox ? "local, simulated billmgr" : `local, ${new URL(billmgr).host}`,
    deps: {
      ...shared,
      send: sendTo(queue.client, queue.url),
      billmgr: operatorsBillmgr({ ...shared, url: billmgr, secrets }),
    },
    // With a real billmgr, a button that buys would spend money.
    ...(sandbox && {
      tryIt: createTryIt({ ...deps, ...shared, sandbox, secrets: () => parseSecrets(JSON.parse(secretsText())) }),
    }),
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const running = new Set<Promise<void>>();
  return {
    handle: async (request, response) => {
      const work = Promise.resolve(listener(request, response)).then(() => {});
      running.add(work);
      await work.finally(() => running.delete(work));
    },
    drain: async () => {
      await Promise.allSettled(running);
    },
  };
}
