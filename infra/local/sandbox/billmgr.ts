/** One call of billmgr, from its parameters to what comes of it. */

import { type Account, advance } from "./account.ts";
import { type Answer, answer, type Delivery, deliver } from "./deliver.ts";
import { documentOf, type Envelope, errorDocument, Refusal } from "./documents.ts";
import { type Fault, takeFault } from "./faults.ts";
import { type OrderVariant, perform } from "./functions.ts";
import { type Operation, operationOf } from "./names.ts";
import { loginPage } from "./pages.ts";
import { idsOf, type Params } from "./parameters.ts";
import type { CallEntry, SandboxState } from "./state.ts";

export type Billmgr = Account & {
  authinfo(): string | undefined | Promise<string | undefined>;
  changed(): void;
};

/** `params` with the authinfo among them. */
export type Call = { method: string; params: Params; authinfoInUrl?: boolean };

const CALLS_KEPT = 10_000;
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
    answer: "",
    ...(call.authinfoInUrl && { authinfoInUrl: true as const }),
  });
  const envelope: Envelope = { func, user: authinfo.split(":")[0] ?? "", params };
  const delivery =
    params.out === "xml" ? answerXml(billmgr, entry, envelope, authorized) : answer("login page", loginPage);
  entry.answer = delivery.word;
  return delivery;
}

function answerXml(billmgr: Billmgr, entry: CallEntry, envelope: Envelope, authorized: boolean): Delivery {
  const { func, params } = envelope;
  const fault = takeFault(billmgr.state.faults, { func, operation: entry.operation, elids: idsOf(params) });
  if (fault) noteFault(billmgr, entry, fault);
  const refuse = (refusal: Refusal): Answer => ({
    body: errorDocument(envelope, refusal),
    word: `error ${refusal.type} ${refusal.object}`.trim(),
  });
  const act = (variant?: OrderVariant): Answer => {
    const aged = advance(billmgr);
    // A refusal, too, may come after a change: of several licenses, the second may be the one that is refused.
    let wrote = !reads.includes(entry.operation);
    try {
      if (!authorized) throw new Refusal("auth", "badpassword", "Invalid username or password");
      if (func === "") throw new Refusal("missed", "func", "The function is missing");
      const { children, noop } = perform(billmgr, { func, params }, variant);
      if (noop) {
        entry.noop = true;
        wrote = false;
      }
      return { body: documentOf(envelope, children), word: "ok" };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refuse(error);
    } finally {
      if (aged || wrote) billmgr.changed();
    }
  };
  return deliver({ act, refuse }, fault);
}

function noteFault(billmgr: Billmgr, entry: CallEntry, { fault }: Fault): void {
  entry.fault = fault;
  billmgr.changed();
}

function recordCall(state: SandboxState, call: Omit<CallEntry, "n">): CallEntry {
  const entry: CallEntry = { n: ++state.callCount, ...call };
  state.calls.push(entry);
  if (state.calls.length > CALLS_KEPT) state.calls.shift();
  return entry;
}
