/** `npm start`: runs the whole system on this machine. */

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Secrets } from "../shared/aws/secrets.ts";
import { readFile, run, UsageError } from "../shared/command-line/usage-error.ts";
import { type Catalog, parseCatalog } from "../shared/licensing/catalog.ts";
import { storefrontNames } from "../shared/licensing/event.ts";
import { consoleLog } from "./log.ts";
import { ensureSecretsFile, type LocalOptions, readOptions, readSecrets, usage } from "./options.ts";
import { type LocalStack, startStack } from "./stack.ts";

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const catalog = readFile(options.catalog, "catalog", parseCatalog);
  const secretsFile = options.secrets ?? ensureSecretsFile();
  const secrets = readFile(secretsFile, "secrets", readSecrets);
  const stack = await start(options, catalog, secretsFile);
  printOverview(stack, options, secrets);
  stopOnSignal(stack);
  if (options.billmgr) warnIfUnreachable(options.billmgr);
}

async function start(options: LocalOptions, catalog: Catalog, secretsFile: string): Promise<LocalStack> {
  try {
    return await startStack({
      port: options.port,
      catalog,
      secrets: () => readFileSync(secretsFile, "utf8"),
      log: consoleLog(),
      ...(options.billmgr && { billmgr: options.billmgr }),
      ...(options.data && { data: options.data }),
      ...(options.clock && { clock: options.clock }),
    });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    throw new UsageError(`port ${options.port} is in use; choose another one with --port`, { cause });
  }
}

function printOverview(stack: LocalStack, options: LocalOptions, secrets: Secrets): void {
  const open = storefrontNames.filter((name) => (secrets.storefronts[name] ?? []).length > 0);
  const url = options.port === 3000 ? [] : [`--url ${stack.url}`];
  const demo = [
    ...url,
    ...(options.secrets ? [`--secrets ${options.secrets}`] : []),
    ...(options.catalog === "catalog.json" ? [] : [`--catalog ${options.catalog}`]),
    "buy",
  ];
  console.log(`billmgr-webhooks is listening at ${stack.url}
  console    ${stack.url}/ in a browser; try everything with buttons at ${stack.url}/try
  webhooks   ${open.map((name) => `POST ${stack.url}/webhooks/${name}`).join("\n             ") || "none, because no storefront has a secret"}
  billmgr    ${options.billmgr ?? `simulated; its purchases and changes: ${stack.url}/sandbox/ledger`}
  clock      ${stack.clock.now().toISOString()}; advance it: curl -d '{"advance":"P30D"}' ${stack.url}/local/clock
  demo       npm run demo -- ${demo.join(" ")}
  operate    npm run ops -- ${["attention", ...url].join(" ")}
Press Ctrl-C to stop.`);
}

function stopOnSignal(stack: LocalStack): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(130);
    stopping = true;
    console.log("stopping");
    await stack.stop();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

/** Opens a connection and sends nothing. An outage is no reason to stop: purchases are retried. */
function warnIfUnreachable(billmgr: string): void {
  const { protocol, hostname, port } = new URL(billmgr);
  const socket = connect(Number(port) || (protocol === "https:" ? 443 : 80), hostname.replace(/^\[|\]$/g, ""));
  socket.setTimeout(5000, () => socket.destroy(new Error("no answer within 5 s")));
  socket.once("connect", () => socket.destroy());
  socket.once("error", ({ message }) => {
    console.error(`billmgr cannot be reached at ${billmgr} (${message}); purchases wait and are retried`);
  });
}

await run(main);
