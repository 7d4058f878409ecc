/** Handles one call of billmgr, from its parameters to its delivery. */

import type { Account } from "./account.ts";
import { advance } from "./aging.ts";
import { answerWith, type Delivery, deliver, type Exchange, type Reply } from "./deliver.ts";
import { documentOf, type Element, type Envelope, errorDocument, Refusal } from "./documents.ts";
import { type Fault, takeFault } from "./faults.ts";
import { perform } from "./functions.ts";
import { type Operation, operationOf, type Params, split } from "./names.ts";
import { loginPage } from "./pages.ts";
import type { Settings } from "./settings.ts";
import type { CallEntry, SandboxState } from "./state.ts";

export type Billmgr = Account & {
  authinfo(): string | undefined | Promise<string | undefined>;
  changed(): void;
};

/** `params` include authinfo. */
export type Call = { method: string; params: Params; authinfoInUrl?: boolean };

const maxCalls = 10_000;
const reads: readonly Operation[] = ["list", "read", "quote", "form", "balance"];

export async function callBillmgr(billmgr: Billmgr, call: Call): Promise<Delivery> {
  const { authinfo = "", ...params } = call.params;
  const expected = await billmgr.authinfo();
  const authorized = authinfo !== "" && (expected === undefined || authinfo === expected);
  const { func = "" } = params;
  const entry = recordCall(billmgr.state, {
    at: billmgr.now().toISOString(),
    method: call.method,
    func,
    operation: operationOf({ func, params }),
    elid: params.elid ?? "",
    ...(params.remoteid && { remoteid: params.remoteid }),
    answer: "",
    ...(call.authinfoInUrl && { authinfoInUrl: true as const }),
  });
  const envelope: Envelope = { func, user: authinfo.split(":")[0] ?? "", params };
  const exchange = exchangeOf(billmgr, entry, envelope, authorized);
  const delivery =
    params.out === "xml" ? deliver(exchange, faultOf(billmgr, entry, params)) : deliverPage(exchange, entry);
  entry.answer = delivery.summary;
  return delivery;
}

function exchangeOf(billmgr: Billmgr, entry: CallEntry, envelope: Envelope, authorized: boolean): Exchange {
  const { state } = billmgr;
  const { func, params } = envelope;
  const succeed = (children: readonly Element[]): Reply => ({ body: documentOf(envelope, children), summary: "ok" });
  const refuse = (refusal: Refusal): Reply => ({
    body: errorDocument(envelope, refusal),
    summary: `error ${refusal.type} ${refusal.object}`.trim(),
  });
  const act = (overrides: Partial<Settings> = {}): Reply => {
    const aged = advance(billmgr);
    const account = { ...billmgr, settings: { ...state.settings, ...overrides } };
    // A refusal may follow a change: of several licenses, only the second may be refused.
    let wrote = !reads.includes(entry.operation);
    try {
      if (!authorized) throw new Refusal("auth", "badpassword", "Invalid username or password");
      if (func === "") throw new Refusal("missed", "func", "The function is missing");
      const { children, noop } = perform(account, { func, params });
      if (noop) {
        entry.noop = true;
        wrote = false;
      }
      return succeed(children);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refuse(error);
    } finally {
      if (aged || wrote) billmgr.changed();
    }
  };
  return { act, refuse, succeed, state, family: split(func).family };
}

function faultOf({ state, changed }: Billmgr, entry: CallEntry, params: Params): Fault | undefined {
  const fault = takeFault(state.faults, { func: entry.func, operation: entry.operation, params });
  if (fault) {
    entry.fault = fault.fault;
    changed();
  }
  return fault;
}

/** Without out=xml, billmgr answers with a page for people. Of their actions, only setting a filter is simulated. */
function deliverPage({ act }: Exchange, { operation }: CallEntry): Delivery {
  if (operation === "filter") act();
  return answerWith("login page", loginPage);
}

function recordCall(state: SandboxState, call: Omit<CallEntry, "n">): CallEntry {
  const entry: CallEntry = { n: ++state.callCount, ...call };
  state.calls.push(entry);
  if (state.calls.length > maxCalls) state.calls.shift();
  return entry;
}
