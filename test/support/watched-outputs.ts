import { ChildProcess } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { ClientRequest, type IncomingMessage, OutgoingMessage, ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { textOf, watch, watcherOf } from "./watch.ts";

/**
 * Watches everything that leaves the process, and every error, for a secret of the tests. It patches what all test files
 * of a worker share, so it must be a module that loads once.
 */

const isPiece = (value: unknown): boolean => typeof value === "string" || value instanceof Uint8Array;
const pathOf = (url = ""): string => url.split("?", 1)[0] ?? "";
/** Chargebee's webhooks contain their password. Only the tests send them. */
const isChargebee = (url: string): boolean => pathOf(url) === "/webhooks/chargebee";
const isBillmgr = (url: string | undefined): boolean => /^(\/manager)?\/billmgr$/.test(pathOf(url));

/** The watcher of a message, or undefined if the message must contain a secret: a call to billmgr, a reply of the store. */
function destinationOf(message: OutgoingMessage): ((piece: unknown) => void) | undefined {
  if (message instanceof ServerResponse) {
    const { url, method, headers } = message.req as IncomingMessage;
    if (headers["x-amz-target"] === "secretsmanager.GetSecretValue") return undefined;
    return watcherOf(isBillmgr(url) ? "a reply of billmgr" : "an HTTP reply", `${method} ${pathOf(url)}`);
  }
  if (!(message instanceof ClientRequest)) return undefined;
  const { path, method } = message;
  watch("a URL", path, `${method} ${pathOf(path)}`);
  const target = String(message.getHeader("x-amz-target") ?? pathOf(path));
  watch("an HTTP request", message.getHeaders(), target);
  return isBillmgr(path) ? undefined : watcherOf("an HTTP request", target);
}

const destinations = new WeakMap<OutgoingMessage, ((piece: unknown) => void) | undefined>();

for (const name of ["write", "end"] as const) {
  const real = OutgoingMessage.prototype[name] as (...args: unknown[]) => unknown;
  const watched = function (this: OutgoingMessage, ...args: unknown[]): unknown {
    if (!destinations.has(this)) destinations.set(this, destinationOf(this));
    if (isPiece(args[0])) destinations.get(this)?.(args[0]);
    return real.apply(this, args);
  };
  Object.assign(OutgoingMessage.prototype, { [name]: watched });
}

const writeHead = ServerResponse.prototype.writeHead as (...args: unknown[]) => ServerResponse;
Object.assign(ServerResponse.prototype, {
  writeHead(this: ServerResponse, ...args: unknown[]) {
    watch("an HTTP reply", args, `head of ${pathOf(this.req.url)}`);
    return writeHead.apply(this, args);
  },
});

// undici publishes this: the one inside Node, for fetch, and the package that calls billmgr.
diagnostics.subscribe("undici:request:create", (message) => {
  const { request } = message as { request: { path: string; method: string; headers: unknown; body: unknown } };
  watch("a URL", request.path, `${request.method} ${pathOf(request.path)}`);
  if (!isChargebee(request.path)) watch("an HTTP request", request.headers, pathOf(request.path));
  if (isPiece(request.body) && !isBillmgr(request.path)) watch("an HTTP request", request.body, pathOf(request.path));
});
// This also covers requests of other processes to a server in this one.
diagnostics.subscribe("http.server.request.start", (message) => {
  const { request } = message as { request: IncomingMessage };
  watch("a URL", request.url, `${request.method} ${pathOf(request.url)}`);
});

for (const stream of [process.stdout, process.stderr]) {
  const real = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  const observation = watcherOf("the console", "");
  stream.write = (...args: unknown[]) => {
    return observation(args[0]) ? real(...args) : true;
  };
}
for (const level of ["log", "info", "warn", "error", "debug"] as const) {
  const real = console[level].bind(console);
  console[level] = (...args: unknown[]) => {
    if (watch("the console", args.map(textOf).join(" "))) real(...args);
  };
}

const start = (ChildProcess.prototype as unknown as { spawn(...args: unknown[]): unknown }).spawn;
Object.assign(ChildProcess.prototype, {
  spawn(this: ChildProcess, ...args: unknown[]) {
    const result = start.apply(this, args);
    for (const stream of [this.stdout, this.stderr] as (Readable | null)[]) {
      stream?.on("data", watcherOf("a process's output", ""));
    }
    return result;
  },
});

/** Watches every error that is created from here on, thrown or not. Errors of V8 are watched only if nothing catches them. */
const RealError = Error;
const making: ProxyHandler<ErrorConstructor> = {
  construct(_, args: ConstructorParameters<ErrorConstructor>, made) {
    const error = Reflect.construct(RealError, args, made) as Error;
    watch("an error", [error.message, textOf(args[1]?.cause ?? "")]);
    RealError.captureStackTrace(error, making.construct);
    return error;
  },
};
globalThis.Error = new Proxy(Error, making);
process.on("unhandledRejection", (reason) => watch("an error", reason));
process.on("uncaughtExceptionMonitor", (error) => watch("an error", error));
