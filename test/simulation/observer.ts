import { isDeepStrictEqual } from "node:util";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { operationOf } from "../../local/simulators/billmgr/names.ts";
import type { PostResult } from "../../shared/billmgr/transport.ts";
import type { Key } from "../../shared/intake/message.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { canary as word } from "../support/secrets.ts";
import { isChanging } from "./faults.ts";
import type { Process } from "./machine.ts";
import type { Item, MemoryDynamo } from "./memory-dynamo.ts";
import { canary } from "./setup.ts";

export type State = {
  key: Key;
  subscription: Subscription;
  version: number;
  agenda?: string;
  agendaAt?: string;
  attention?: string;
};

/** One changing call. */
export type Called = {
  at: number;
  kind: string;
  key: string | undefined;
  params: Record<string, string>;
  process: Process;
  /** It reached billmgr. */
  arrived: boolean;
  /** Until this moment billmgr may execute it. */
  actsUntil: number;
};

/** Once billmgr has executed a call, it is not in flight, even if its caller still waits for the answer. */
export const isInFlight = ({ actsUntil }: Called, now: number): boolean => actsUntil > now;

/** Watches all requests from outside the system, and records violations of the protocol. */
export class Observer {
  readonly violations: string[] = [];
  readonly calls: Called[] = [];
  /** Subscriptions that needed attention at any time. */
  readonly hadAttention = new Set<string>();
  readonly #dynamo: () => MemoryDynamo;
  readonly #now: () => number;
  /** How many calls each process may make. It works on several subscriptions in parallel, and reads the halt before each call. */
  readonly #unhalted = new Map<Process, number>();
  /** Orders whose license id a process has received. It must store the id before it calls again. */
  readonly #unstoredOrders = new Map<Process, { key: string; elid: string }>();
  readonly #states = new Map<string, Item>();

  constructor(dynamo: () => MemoryDynamo, now: () => number) {
    this.#dynamo = dynamo;
    this.#now = now;
  }

  states(): State[] {
    return [...this.#states.values()].map(stateOf);
  }

  violated(what: string): void {
    this.violations.push(`${new Date(this.#now()).toISOString()} ${what}`);
  }

  /** A process reads whether all calls are halted. */
  readsHalt(process: Process): void {
    if (this.#dynamo().get("control", "halt")) return;
    this.#unhalted.set(process, (this.#unhalted.get(process) ?? 0) + 1);
  }

  /** Checks that a text which leaves the system contains no secret. */
  seen(where: string, what: unknown): void {
    const text = typeof what === "string" ? what : JSON.stringify(what);
    if (!text.includes(word) && !text.includes(encodedWord)) return;
    if (forms.some((form) => text.includes(form))) this.violated(`a secret is in ${where}: ${text.slice(0, 400)}`);
  }

  /** Records that a state was removed. Only the loss of a table does this. */
  removed(key: string): void {
    this.#states.delete(key);
  }

  /** Records that a state was written. */
  stored(item: Item): void {
    this.#states.set(item.pk?.S ?? "", item);
    this.#backoffIsOfUse(item);
    if (item.attention) this.hadAttention.add(item.pk?.S ?? "");
    if (this.#unstoredOrders.size === 0) return;
    const { key, subscription } = stateOf(item);
    for (const [process, order] of this.#unstoredOrders) {
      const { slots, operation } = subscription;
      const holds = operation?.elid === order.elid || slots.some(({ license }) => license?.elid === order.elid);
      if (order.key === key && holds) this.#unstoredOrders.delete(process);
    }
  }

  /** Checks that a backoff ends with its operation. If it stayed, the next failure would count from the first one. */
  #backoffIsOfUse(item: Item): void {
    if (!item.subscription?.M?.backoff || item.attention) return;
    const { key, subscription, agendaAt = "9999" } = stateOf(item);
    const { backoff, operation } = subscription;
    const isOpen = operation !== undefined && operation.state !== "finished";
    const latest = new Date(this.#now() + 2 * 3_600_000).toISOString();
    if (backoff && !isOpen && agendaAt > latest)
      this.violated(`${key} keeps a backoff, and tries nothing: ${backoff.why}`);
  }

  /** Checks a call at the moment at which a process sends it to billmgr. */
  leaves(process: Process, params: Record<string, string>): Called | undefined {
    const { func = "", elid = "" } = params;
    const what = `${func} ${elid}`.trim();
    const observations = this.#unhalted.get(process) ?? 0;
    this.#unhalted.set(process, observations - 1);
    if (observations < 1) this.violated(`${process.name} calls ${what} without reading that calls are not halted`);
    const unstored = this.#unstoredOrders.get(process);
    if (unstored) this.violated(`${process.name} calls ${what} before license ${unstored.elid} is stored`);
    const kind = operationOf({ func, params });
    if (!isChanging(kind)) return undefined;

    const now = this.#now();
    const claimed = this.states().find(({ subscription: { operation } }) => {
      if (!operation || operation.state === "finished" || operation.state === "unconfirmed") return false;
      return isDeepStrictEqual(operation.attempt?.params, params);
    });
    const from = { at: now, actsUntil: now };
    const call: Called = { ...from, kind, key: claimed?.key, params, process, arrived: false };
    if (!claimed) this.violated(`${process.name} calls ${what} without a claim`);
    const other = this.calls.find((one) => one.key !== undefined && one.key === call.key && isInFlight(one, now));
    if (other) this.violated(`${what} is called while ${other.kind} of ${other.process.name} may still be executed`);
    this.calls.push(call);
    return call;
  }

  /** Records the answer that a process receives. */
  returned(process: Process, call: Called | undefined, sent: PostResult): void {
    if (!call?.key || call.kind !== "order" || sent.kind !== "response" || sent.status !== 200) return;
    const [, elid] = /<id>(\d+)<\/id>|<item\.id>(\d+)</.exec(sent.body)?.filter(Boolean) ?? [];
    const clear =
      !/billorder/.test(sent.body) &&
      /<ok\/>/.test(sent.body) &&
      /<\/doc>\s*$/.test(sent.body) &&
      !/<error|<msg>R & D/.test(sent.body);
    if (elid && clear) this.#unstoredOrders.set(process, { key: call.key, elid });
  }
}

/** An item is never changed, only replaced. */
const statesRead = new WeakMap<Item, State>();

function stateOf(item: Item): State {
  const known = statesRead.get(item);
  if (known) return known;
  const { pk, ...rest } = unmarshall(item);
  const state = { key: pk, ...rest } as State;
  statesRead.set(item, state);
  return state;
}

/** A part of each secret that no encoding changes. Most texts omit it, and need no further check. */
const encodedWord = canary.signing.slice("whsec_".length, "whsec_".length + 16);

/** The secrets as they are, and as a form or a URL encodes them. */
const forms = [canary.password, canary.signing, canary.signing.slice("whsec_".length)].flatMap((text) => [
  text,
  encodeURIComponent(text),
  new URLSearchParams({ _: text }).toString().slice(2),
]);
