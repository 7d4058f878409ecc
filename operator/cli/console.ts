import { randomBytes } from "node:crypto";
import { getRequestListener } from "@hono/node-server";
import { readArguments } from "../../shared/command-line/arguments.ts";
import { run, UsageError } from "../../shared/command-line/usage-error.ts";
import { serve } from "../../shared/http/serve.ts";
import { createConsole } from "../console/app.ts";
import { connect } from "./connect.ts";
import { inWords } from "./operator-error.ts";

const usage = `npm run console -- --stack NAME [options]
  --stack NAME     the deployed stack, with AWS's usual credentials
  --region REGION  where it is deployed, if not where those say
  --catalog FILE   the catalog as deployed (catalog.json)
  --url URL        instead of a stack, where npm start listens
  --port 3001      where to listen, on 127.0.0.1`;

const flags = {
  stack: { type: "string" },
  region: { type: "string" },
  catalog: { type: "string" },
  url: { type: "string" },
  port: { type: "string", default: "3001" },
  help: { type: "boolean" },
} as const;

/** The operator's page before a deployed system, on the operator's own machine and with their own rights. */
async function main(args: string[]): Promise<void> {
  const { values } = readArguments(args, flags, usage);
  const { stack, region, catalog, url, port, help } = values;
  if (help) return console.log(usage);
  if ((stack === undefined) === (url === undefined)) throw new UsageError(`say either --stack or --url\n${usage}`);
  if (url !== undefined && !URL.canParse(url)) throw new UsageError(`--url: found "${url}", expected an address`);
  if (!/^\d+$/.test(port) || Number(port) > 65_535) throw new UsageError(`--port: found "${port}", expected a number`);
  const target = { url: url ?? "", ...(stack && { stack }), ...(region && { region }), ...(catalog && { catalog }) };
  const deps = await connect(target).catch((error: unknown) => {
    throw inWords(error);
  });
  // What a right is missing for, or whether it is there at all, shows now and not on the page.
  await deps.table.halt().catch((error: unknown) => {
    throw inWords(error);
  });
  // Others at this machine have no part in the rights of whoever started it.
  const key = randomBytes(16).toString("hex");
  const { fetch } = createConsole({ where: stack ?? String(url), world: deps, key });
  const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
  const served = await serve(async (request, response) => {
    await deps.refresh?.();
    await listener(request, response);
  }, Number(port)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE"
      ? new UsageError(`port ${port} is in use; choose another one with --port`)
      : error;
  });
  console.log(`the page of ${stack ?? url} is open at ${served.url}/?key=${key}\nCtrl-C stops it.`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, async () => {
      await served.close();
      deps.close();
      process.exit(0);
    });
  }
}

await run(() => main(process.argv.slice(2)));
