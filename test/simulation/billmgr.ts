import type { Sandbox } from "../../local/simulators/billmgr/index.ts";
import { operationOf } from "../../local/simulators/billmgr/names.ts";
import type { Post, PostResult } from "../../shared/billmgr/transport.ts";
import type { CallFault, Faults } from "./faults.ts";
import type { Machine, Process } from "./machine.ts";
import type { Called, Observer } from "./observer.ts";

type Parts = {
  machine: Machine;
  faults: Faults;
  sandbox: Sandbox;
  observer: Observer;
  /** Runs when billmgr puts an order into its cart. */
  onCart: (form: URLSearchParams) => void;
};

/** The network between one process and billmgr. */
export const postFrom =
  (process: Process, parts: Parts): Post =>
  (form, timeoutMs) =>
    new Promise((resolve) => {
      if (!process.dead) new Exchange(process, parts, form, timeoutMs, resolve).begin();
    });

class Exchange {
  readonly #process: Process;
  readonly #parts: Parts;
  readonly #form: URLSearchParams;
  readonly #timeoutMs: number;
  readonly #params: Record<string, string>;
  readonly #resolve: (sent: PostResult) => void;
  readonly #what: string;
  #call: Called | undefined;
  #over = false;

  constructor(
    process: Process,
    parts: Parts,
    form: URLSearchParams,
    timeoutMs: number,
    resolve: (sent: PostResult) => void,
  ) {
    this.#process = process;
    this.#parts = parts;
    this.#form = form;
    this.#timeoutMs = timeoutMs;
    this.#resolve = resolve;
    const { authinfo, ...params } = Object.fromEntries(form);
    this.#params = params;
    this.#what = `billmgr ${params.func} ${params.elid ?? params.comment ?? ""}`.trim();
  }

  begin(): void {
    const { machine, faults, observer } = this.#parts;
    const operation = operationOf({ func: this.#params.func ?? "", params: this.#params });
    const fault = faults.atCall(operation, this.#params);
    if (fault === "crash_before") {
      this.#process.die(`before ${this.#what}`);
      return;
    }
    this.#call = observer.leaves(this.#process, this.#params);
    if (fault === "not_sent") this.#answerAfter(machine.latency(), notSent, "is not sent");
    else if (fault === "empty_ok") this.#answerAfter(machine.latency(2000), emptyOk, "is answered with an empty ok");
    else this.#send(fault);
  }

  #send(fault: CallFault | undefined): void {
    const { machine } = this.#parts;
    const timeout: PostResult = { kind: "no_response", why: `no answer within ${this.#timeoutMs / 1000} s` };
    this.#answerAfter(this.#timeoutMs, timeout, "times out");
    const there = machine.latency(3000) + (fault === "slow" ? machine.slowness(this.#timeoutMs) : 0);
    if (this.#call) this.#call.actsUntil = machine.scheduler.now + there;
    machine.scheduler.after(there, () => this.#arrive(fault));
  }

  #arrive(fault: CallFault | undefined): void {
    const { machine, sandbox, observer } = this.#parts;
    if (this.#call) this.#call.arrived = true;
    if (typeof fault === "object") {
      sandbox.plan(fault);
      const actsLater = fault.fault === "hang_then_act" || fault.fault === "long_request";
      if (this.#call && actsLater) this.#call.actsUntil += (fault.seconds ?? 0) * 1000;
    }
    machine.trace?.(this.#process.name, `${this.#what} arrives${fault ? ` [${wordOf(fault)}]` : ""}`);
    const later = (ms: number, act: () => void) =>
      machine.scheduler.after(ms, () => {
        act();
        machine.trace?.("billmgr", `acts or answers late: ${this.#what}`);
      });
    sandbox
      .post(later)(this.#form, 10 * this.#timeoutMs)
      .then((sent) => {
        if (sent.kind === "response" && /<(billorder|lineitem\.id)>/.test(sent.body)) this.#parts.onCart(this.#form);
        this.#answerAfter(machine.latency(1000), this.#echoing(sent), "is answered");
      })
      .catch((error: unknown) => observer.violated(`the sandbox fails: ${error}`));
    if (fault === "crash_after") this.#process.die(`after ${this.#what}`);
  }

  /** Puts the credentials into the page, in case billmgr echoes its input. The system must not log or store them. */
  #echoing(sent: PostResult): PostResult {
    if (sent.kind !== "response") return sent;
    return { ...sent, body: sent.body.replace("<title>", () => `<title>${this.#form.get("authinfo")} `) };
  }

  #answerAfter(ms: number, sent: PostResult, how: string): void {
    const { machine, observer } = this.#parts;
    machine.scheduler.after(ms, () => {
      if (this.#over || this.#process.dead) return;
      this.#over = true;
      machine.trace?.(this.#process.name, `${this.#what} ${how}`);
      observer.returned(this.#process, this.#call, sent);
      this.#resolve(sent);
    });
  }
}

const notSent: PostResult = { kind: "not_sent", why: "ECONNREFUSED: connect" };
const emptyOk: PostResult = {
  kind: "response",
  status: 200,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<doc lang="en"><ok/></doc>`,
};

const wordOf = (fault: CallFault): string => (typeof fault === "string" ? fault : JSON.stringify(fault));
