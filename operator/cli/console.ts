/** `npm run console`: serves the operator's console on this machine, with the operator's own AWS permissions. */
import { randomBytes } from "node:crypto";
import { getRequestListener } from "@hono/node-server";
import { readArguments } from "../../shared/command-line/arguments.ts";
import { run, UsageError } from "../../shared/command-line/usage-error.ts";
import { serve } from "../../shared/http/serve.ts";
import { createConsole } from "../console/app.ts";
import { type Connection, connect, type Target } from "./connect.ts";
import { toUsageError } from "./operator-error.ts";

const usage = `npm run console -- --stack NAME [options]
  --stack NAME     the deployed stack, with the usual AWS credentials
  --region REGION  AWS region of the stack, if different from the configured one
  --catalog FILE   catalog of the stack, as deployed (catalog.json)
  --url URL        use the local system at this address instead of a stack
  --port 3001      port to listen on, on 127.0.0.1
  --help           show this help`;
const helpHint = "see: npm run console -- --help";

const options = {
  stack: { type: "string" },
  region: { type: "string" },
  catalog: { type: "string" },
  url: { type: "string" },
  port: { type: "string", default: "3001" },
  help: { type: "boolean" },
} as const;

async function main(args: string[]): Promise<void> {
  const { values } = readArguments(args, options, helpHint);
  const { stack, region, catalog, url, port, help } = values;
  if (help) return console.log(usage);
  if ((stack === undefined) === (url === undefined)) throw new UsageError(`pass either --stack or --url\n${helpHint}`);
  if (url !== undefined && !URL.canParse(url)) throw new UsageError(`--url: found "${url}", expected an address`);
  if (!/^\d+$/.test(port) || Number(port) > 65_535)
    throw new UsageError(`--port: found "${port}", expected a number from 0 to 65535`);
  const target = { url: url ?? "", ...(stack && { stack }), ...(region && { region }), ...(catalog && { catalog }) };
  const deps = await connectAndCheck(target).catch((error: unknown) => {
    throw toUsageError(error);
  });
  // Other users of this machine must not act with the permissions of the operator.
  const accessKey = randomBytes(16).toString("hex");
  const { fetch } = createConsole({ where: stack ?? String(url), deps, accessKey });
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const served = await serve(async (request, response) => {
    await deps.refresh?.();
    await listener(request, response);
  }, Number(port)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE" ? new UsageError(`port ${port} is in use; pass another --port`) : error;
  });
  console.log(`The console of ${stack ?? url} is open at ${served.url}/?key=${accessKey}\nPress Ctrl-C to stop it.`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, async () => {
      await served.close();
      deps.close();
      process.exit(0);
    });
  }
}

/** Reads once, so that a missing stack or permission is reported here and not on a page. */
async function connectAndCheck(target: Target): Promise<Connection> {
  const deps = await connect(target);
  await deps.table.halt();
  return deps;
}

await run(() => main(process.argv.slice(2)));
