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
import { tryItWith } from "./try.ts";

type Parts = {
  /** Where the local stack listens. */
  url: string;
  table: Table;
  queue: QueueAddress;
  clock: Clock;
  catalog: Catalog;
  billmgr: string;
  secrets: () => Promise<Secrets>;
  /** The secrets as JSON text. */
  secretsText: () => string;
  sandbox: Sandbox | undefined;
  settle: () => Promise<void>;
  advanceTo: (moment: Date) => Promise<void>;
};

type LocalPage = {
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Once nothing that was asked for is being worked on any more. */
  rest: () => Promise<void>;
};

/** The operator's page before the local parts, and what a newcomer tries. */
export function localPage(parts: Parts): LocalPage {
  const { table, queue, clock, billmgr, secrets, secretsText, sandbox } = parts;
  const shared = { table, catalog: acceptingTests(parts.catalog), now: clock.now };
  const app = createConsole({
    where: sandbox ? "local, simulated billmgr" : `local, ${new URL(billmgr).host}`,
    deps: {
      ...shared,
      send: sendTo(queue.client, queue.url),
      billmgr: operatorsBillmgr({ ...shared, url: billmgr, secrets }),
    },
    // Before a real billmgr a button that buys would spend money.
    ...(sandbox && {
      tryIt: tryItWith({ ...parts, ...shared, sandbox, secrets: () => parseSecrets(JSON.parse(secretsText())) }),
    }),
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const working = new Set<Promise<void>>();
  return {
    handle: async (request, response) => {
      const work = Promise.resolve(listener(request, response)).then(() => {});
      working.add(work);
      await work.finally(() => working.delete(work));
    },
    rest: async () => {
      await Promise.allSettled(working);
    },
  };
}
