/** One request to /manager/billmgr, from its parameters to its answer. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Account, advance } from "./account.ts";
import { type Answer, deliver } from "./deliver.ts";
import { documentOf, type Envelope, errorDocument, Refusal } from "./documents.ts";
import { takeFault } from "./faults.ts";
import { perform } from "./functions.ts";
import { sendHtml, sendJson } from "./http.ts";
import { type Operation, operationOf } from "./names.ts";
import { idsOf } from "./parameters.ts";
import type { CallEntry, SandboxState } from "./state.ts";

export type Billmgr = Account & {
  authinfo(): string | undefined | Promise<string | undefined>;
  changed(): void;
};

const CALLS_KEPT = 10_000;
const reads: readonly Operation[] = ["list", "read", "quote", "form", "balance"];

export async function answerBillmgr(
  billmgr: Billmgr,
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
  body: string,
): Promise<void> {
  const { method = "" } = request;
  if (method !== "GET" && method !== "POST") {
    response.setHeader("allow", "GET, POST");
    sendJson(response, 405, { error: `billmgr takes GET and POST, found ${method}` });
    return;
  }
  const { authinfo = "", ...params } = Object.fromEntries([
    ...new URLSearchParams(query),
    ...new URLSearchParams(body),
  ]);
  const expected = await billmgr.authinfo();
  const authorized = authinfo !== "" && (expected === undefined || authinfo === expected);

  const { func = "" } = params;
  const operation = operationOf({ func, params });
  const call = recordCall(billmgr.state, {
    at: billmgr.now().toISOString(),
    method,
    func,
    operation,
    elid: params.elid ?? "",
    answer: "",
    ...(new URLSearchParams(query).has("authinfo") && { authinfoInUrl: true as const }),
  });

  // Without out=xml billmgr speaks HTML to a person.
  if (params.out !== "xml") {
    sendHtml(response, 200, "BILLmanager", '<form id="login"><input name="username"><input name="password"></form>');
    call.answer = "login page";
    return;
  }

  const fault = takeFault(billmgr.state.faults, { func, operation, elids: idsOf(params) });
  if (fault) {
    call.fault = fault.fault;
    billmgr.changed();
  }

  const envelope: Envelope = { func, user: authinfo.split(":")[0] ?? "", params };
  const refuse = (refusal: Refusal): Answer => ({
    body: errorDocument(envelope, refusal),
    word: `error ${refusal.type} ${refusal.object}`.trim(),
  });
  call.answer = deliver(
    {
      response,
      refuse,
      act(variant) {
        const aged = advance(billmgr);
        // A refusal, too, may come after a change: of several licenses, the second may be the one that is refused.
        let wrote = !reads.includes(operation);
        try {
          if (!authorized) throw new Refusal("auth", "badpassword", "Invalid username or password");
          if (func === "") throw new Refusal("missed", "func", "The function is missing");
          const { children, noop } = perform(billmgr, { func, params }, variant);
          if (noop) {
            call.noop = true;
            wrote = false;
          }
          return { body: documentOf(envelope, children), word: "ok" };
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          return refuse(error);
        } finally {
          if (aged || wrote) billmgr.changed();
        }
      },
    },
    fault,
  );
}

function recordCall(state: SandboxState, call: Omit<CallEntry, "n">): CallEntry {
  const entry: CallEntry = { n: ++state.callCount, ...call };
  state.calls.push(entry);
  if (state.calls.length > CALLS_KEPT) state.calls.shift();
  return entry;
}
