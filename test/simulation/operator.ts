import { isDeepStrictEqual } from "node:util";
import { resume } from "../../functions/ops/halt.ts";
import { resolve, retry } from "../../functions/ops/repair.ts";
import { nameOf } from "../../functions/ops/world.ts";
import { isPurchase } from "../../shared/licensing/operation.ts";
import type { Key } from "../../shared/message.ts";
import { isInFlight, type State } from "./observer.ts";
import type { Random } from "./random.ts";
import type { System } from "./system.ts";

const hour = 3_600_000;
const mostVisits = 12;

/** The person who does what docs/operating.md says, some hours late, by `npm run ops` and in billmgr's client area. */
export class Operator {
  readonly #system: System;
  readonly #random: Random;
  readonly #visits = new Map<string, number>();
  readonly #planned = new Set<string>();
  readonly #baskets = new Set<URLSearchParams>();

  constructor(system: System, random: Random) {
    this.#system = system;
    this.#random = random;
    system.onHalt = () => this.#later(() => this.#mendPassword());
    system.onBasket = (form) => {
      this.#baskets.add(form);
      this.#later(() => this.#payOrEmpty(form));
    };
    system.onAttention = (key) => this.#planVisit(key);
  }

  /** Once the faults are over, what they left behind is mended. */
  cleanUp(): void {
    this.topUp();
    this.#mendPassword();
    this.redrive();
    for (const { key, agenda } of this.#system.observer.states()) if (agenda === "attention") this.#planVisit(key);
  }

  redrive(): void {
    this.#system.queue.redrive();
    this.#system.source.poke();
  }

  changePassword(): void {
    this.#system.password = `${this.#system.password}-2`;
  }

  topUp(): void {
    this.#system.sandbox.configure({ balance: 1_000_000 });
  }

  #later(act: () => void): void {
    this.#system.scheduler.after(this.#random.between(0.5, 10) * hour, act);
  }

  /** A person pays what the system says lies in the basket, or empties it; what it does not know of stays there. */
  #payOrEmpty(form: URLSearchParams): void {
    this.#baskets.delete(form);
    const { authinfo, ...params } = Object.fromEntries(form);
    const known = this.#system.operations().some(({ attempt }) => {
      return /basket/.test(attempt?.said ?? "") && isDeepStrictEqual(attempt?.params, params);
    });
    if (!known || this.#random.chance(0.5)) return;
    this.topUp();
    this.#doByHand(params);
  }

  #doByHand(params: Record<string, string>): void {
    const { func, comment, elid } = params;
    this.#system.machine.trace?.("operator", `does ${func} ${comment ?? elid} in billmgr`);
    const form = new URLSearchParams({ ...params, authinfo: `reseller:${this.#system.password}` });
    void this.#system.sandbox.post(() => {})(form, 0);
  }

  #mendPassword(): void {
    this.#system.secretPassword = this.#system.password;
    void this.#system.operate(resume).then((done) => done || this.#later(() => this.#mendPassword()));
  }

  #planVisit(key: Key): void {
    const visits = this.#visits.get(key) ?? 0;
    if (visits >= mostVisits || this.#planned.has(key)) return;
    this.#visits.set(key, visits + 1);
    this.#planned.add(key);
    this.#system.scheduler.after(this.#random.between(1, 20) * hour, () => {
      this.#planned.delete(key);
      const state = this.#system.observer.states().find((one) => one.key === key);
      if (state?.agenda !== "attention") return;
      this.#system.machine.trace?.("operator", `looks after ${key}: ${state.reason}`);
      // What did not succeed is tried another time.
      void this.#lookAfter(state).then((done) => done || this.#planVisit(key));
    });
  }

  #lookAfter(state: State): Promise<boolean> {
    const { key, reason = "", subscription } = state;
    const { operation } = subscription;
    if (/funds/.test(reason)) this.topUp();
    const name = nameOf(key);
    if (operation && this.#isMissing(state)) {
      if (isPurchase(operation.change)) {
        return this.#system.operate((world) => resolve(name, { as: "never-bought" }, world));
      }
      this.#doByHand(operation.attempt?.params ?? {});
    }
    return this.#system.operate((world) => retry(name, world));
  }

  /** What did not come about, as billmgr shows to whoever looks in there. */
  #isMissing({ key, subscription: { operation } }: State): boolean {
    if (operation?.state !== "unknown" && operation?.state !== "unconfirmed") return false;
    const { sandbox, observer, scheduler } = this.#system;
    if (observer.calls.some((call) => call.key === key && isInFlight(call, scheduler.now))) return false;
    const { change, attempt, before } = operation;
    const isOrder = change.kind === "order";
    const [name, value] = isOrder ? ["comment", attempt?.params.comment] : ["elid", change.elid];
    if ([...this.#baskets].some((form) => form.get(name as string) === value)) return false;
    const licenses = sandbox.licenses();
    if (isOrder) return !licenses.some(({ remoteid }) => remoteid === value);
    return change.kind !== "prolong" || licenses.some(({ id, expiry }) => id === value && expiry === before.expiry);
  }
}
