/** A simulated billmgr, as faithful as public documents and observed replies allow. It can also simulate faults. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Post } from "../../../shared/billmgr/transport.ts";
import type { Account } from "./account.ts";
import { advance } from "./aging.ts";
import { InvalidRequest } from "./checks.ts";
import { describeFaults, type Fault, type FaultPlan, parseFault } from "./faults.ts";
import { readBody, refuseTooLarge, sendJson } from "./http.ts";
import type { License } from "./license.ts";
import { type Later, postTo } from "./post.ts";
import { serveBillmgr } from "./serve-billmgr.ts";
import { checkSettings, type Settings } from "./settings.ts";
import { initialState, type LedgerEntry, type SandboxState } from "./state.ts";

export type { FaultName, FaultPlan } from "./faults.ts";
export type { License } from "./license.ts";
export type { Later } from "./post.ts";
export type { Settings } from "./settings.ts";
export type { CallEntry, LedgerEntry, SandboxState } from "./state.ts";

export type SandboxOptions = {
  /** The clock, also for expiry, processing, and autoprolong. */
  now: () => Date;
  /** The accepted "user:password". If it is undefined, any non-empty one is accepted. */
  authinfo: () => string | undefined | Promise<string | undefined>;
  /** The settings of a new sandbox. A saved state keeps its own. */
  settings?: Partial<Settings>;
  /** The result of an earlier snapshot(). */
  state?: SandboxState;
  /** Called after each change of the state. Reads are recorded too, but do not cause a call. */
  onChange?: () => void;
};

export type Sandbox = {
  /** Serves /manager/billmgr, /billmgr, and /sandbox/*. @returns false for any other path */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** The same without a network, for `createBillmgr`. Delays, such as a late answer, go through `later`. */
  post(later: Later): Post;
  ledger(): LedgerEntry[];
  /** The actual licenses, for assertions. */
  licenses(): License[];
  plan(fault: FaultPlan): void;
  /** `known`: all faults with their descriptions. `pending`: the planned ones. */
  faults: { known: Record<string, string>; pending: () => readonly Fault[]; clear: () => void };
  configure(settings: Partial<Settings>): void;
  snapshot(): SandboxState;
};

type Route = (body: string) => unknown;

export function createSandbox(options: SandboxOptions): Sandbox {
  const state = initialState(options.state, options.settings);
  const account: Account = { state, settings: state.settings, now: options.now };
  const changed = () => options.onChange?.();
  const billmgr = { ...account, authinfo: options.authinfo, changed };

  const current = <T>(read: () => T): T => {
    if (advance(account)) changed();
    return structuredClone(read());
  };
  const plan = (faults: readonly unknown[]) => {
    state.faults.push(...faults.map(parseFault));
    changed();
  };
  const configure = (settings: unknown) => {
    Object.assign(state.settings, structuredClone(checkSettings(settings)));
    changed();
  };
  const clear = () => {
    state.faults.length = 0;
    changed();
  };
  const faults = () => ({ pending: state.faults, known: describeFaults() });

  const routes: Record<string, Record<string, Route>> = {
    "/sandbox/ledger": { GET: () => current(() => state.ledger) },
    "/sandbox/licenses": { GET: () => current(() => state.licenses) },
    "/sandbox/calls": { GET: () => state.calls },
    "/sandbox/faults": {
      GET: faults,
      POST: (body) => {
        plan([parseJson(body)].flat());
        return faults();
      },
      DELETE: () => {
        clear();
        return faults();
      },
    },
    "/sandbox/settings": {
      GET: () => state.settings,
      POST: (body) => {
        configure(parseJson(body));
        return state.settings;
      },
    },
  };

  return {
    async handle(request, response) {
      const [path = "", query = ""] = (request.url ?? "").split(/\?(.*)/s, 2);
      const isBillmgr = path === "/manager/billmgr" || path === "/billmgr";
      if (!isBillmgr && !path.startsWith("/sandbox/")) return false;
      // A caller that disconnects during the request has not made a call.
      const body = await readBody(request).catch(() => null);
      if (body === null) return true;
      if (body === undefined) refuseTooLarge(response);
      else if (isBillmgr) await serveBillmgr(billmgr, request, response, query, body);
      else answerRoute(routes, path, request.method ?? "", body, response);
      return true;
    },
    post: (later) => postTo(billmgr, later),
    ledger: () => current(() => state.ledger),
    licenses: () => current(() => state.licenses),
    plan: (fault) => plan([fault]),
    faults: { known: describeFaults(), pending: () => structuredClone(state.faults), clear },
    configure,
    snapshot: () => structuredClone(state),
  };
}

function answerRoute(
  routes: Record<string, Record<string, Route>>,
  path: string,
  method: string,
  body: string,
  response: ServerResponse,
): void {
  const methods = routes[path];
  if (!methods) {
    sendJson(response, 404, { error: `${path} does not exist; expected ${Object.keys(routes).join(", ")}` });
    return;
  }
  const route = methods[method];
  if (!route) {
    response.setHeader("allow", Object.keys(methods).join(", "));
    sendJson(response, 405, { error: `the method is ${method}; expected ${Object.keys(methods).join(", ")}` });
    return;
  }
  try {
    sendJson(response, 200, route(body));
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    sendJson(response, 400, { error: error.message });
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new InvalidRequest("the body is not valid JSON");
  }
}
