import { isDeepStrictEqual } from "node:util";
import { nameOf } from "../../operator/actions/dependencies.ts";
import { resume } from "../../operator/actions/halt.ts";
import { type Resolution, resolve, retry } from "../../operator/actions/repair.ts";
import type { Key } from "../../shared/intake/message.ts";
import { openOperations } from "../../shared/licensing/attention.ts";
import { type Operation, referenceOf } from "../../shared/licensing/operation.ts";
import { isInFlight, type State } from "./observer.ts";
import type { Random } from "./random.ts";
import type { System } from "./system.ts";

const hour = 3_600_000;
const mostVisits = 40;

/** The person who follows docs/operating.md some hours late, with `npm run ops` and in billmgr's client area. */
export class Operator {
  readonly #system: System;
  readonly #random: Random;
  readonly #visits = new Map<string, number>();
  readonly #planned = new Set<string>();
  readonly #inCart = new Set<URLSearchParams>();

  constructor(system: System, random: Random) {
    this.#system = system;
    this.#random = random;
    system.onHalt = () => this.#later(() => this.#updateSecret());
    system.onCart = (form) => {
      this.#inCart.add(form);
      this.#later(() => this.#payOrEmpty(form));
    };
    system.onAttention = (key) => this.#planVisit(key);
  }

  /** Repairs everything that the faults left behind, once they are over. */
  cleanUp(): void {
    this.topUp();
    this.#updateSecret();
    this.redrive();
    for (const { key, attention } of this.#system.observer.states()) if (attention) this.#planVisit(key);
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

  /** Pays once for an order that the system reports in the cart, or not at all, and removes all copies of it. */
  #payOrEmpty(form: URLSearchParams): void {
    if (!this.#inCart.has(form)) return;
    const { authinfo, ...params } = Object.fromEntries(form);
    for (const other of this.#inCart) {
      const { authinfo, ...same } = Object.fromEntries(other);
      if (isDeepStrictEqual(same, params)) this.#inCart.delete(other);
    }
    const known = this.#system.operations().some(({ attempt }) => {
      return /cart|ok leads/.test(attempt?.response ?? "") && isDeepStrictEqual(attempt?.params, params);
    });
    if (!known || this.#random.chance(0.5)) return;
    this.topUp();
    this.#doByHand(params);
  }

  #grantRights(): void {
    this.#system.sandbox.configure({ denied: [] });
  }

  #doByHand(params: Record<string, string>): void {
    const { func, comment, elid } = params;
    this.#system.machine.trace?.("operator", `does ${func} ${comment ?? elid} in billmgr`);
    const form = new URLSearchParams({ ...params, authinfo: `reseller:${this.#system.password}` });
    void this.#system.sandbox.post(() => {})(form, 0);
  }

  #updateSecret(): void {
    this.#system.secretPassword = this.#system.password;
    void this.#system.operate(resume).then((done) => done || this.#later(() => this.#updateSecret()));
  }

  #planVisit(key: Key): void {
    const visits = this.#visits.get(key) ?? 0;
    if (visits >= mostVisits || this.#planned.has(key)) return;
    this.#visits.set(key, visits + 1);
    this.#planned.add(key);
    this.#system.scheduler.after(this.#random.between(1, 20) * hour, () => {
      this.#planned.delete(key);
      const state = this.#system.observer.states().find((one) => one.key === key);
      if (!state?.attention) return;
      this.#system.machine.trace?.("operator", `handles ${key}: ${state.attention}`);
      // A repair that failed is tried again later.
      void this.#handle(state).then((done) => done || this.#planVisit(key));
    });
  }

  /** Reports an unpaid order as done, or adopts another product's license. The system must refuse both. */
  async #decideWrongly(name: string, { change, state }: Operation): Promise<void> {
    if (change.kind !== "order" || (state !== "unknown" && state !== "unconfirmed")) return;
    const licenses = this.#system.sandbox.licenses().filter(({ family }) => family === change.family);
    const isUnpaid = licenses.some(
      ({ remoteid, status }) => status === ordered && remoteid === referenceOfKey(name, change),
    );
    if (isUnpaid) return void (await this.#system.operate((deps) => resolve(name, { as: "done" }, deps)));
    const other = licenses.find(({ pricelist, status }) => pricelist !== change.pricelist && status !== deleted);
    if (other) await this.#system.operate((deps) => resolve(name, { as: "adopt", elid: other.id }, deps));
  }

  async #handle(state: State): Promise<boolean> {
    const { key, subscription } = state;
    const [operation] = openOperations(subscription);
    const reasons = JSON.stringify(subscription.attention);
    if (/insufficient_funds|unpaid_at_billmgr/.test(reasons)) this.topUp();
    if (/privileges/.test(reasons)) this.#grantRights();
    if (/order_not_guarded/.test(reasons)) {
      this.#system.sandbox.configure({ listShowsComment: true, listShowsRemoteid: true, formHides: [] });
    }
    if (/filter/.test(reasons)) this.#system.sandbox.configure({ filterSubmit: "always" });
    const name = nameOf(key);
    if (operation && this.#random.chance(0.3)) await this.#decideWrongly(name, operation);
    const resolution = operation && this.#resolutionOf(state, operation);
    if (resolution) return this.#system.operate((deps) => resolve(name, resolution, deps));
    return this.#system.operate((deps) => retry(name, deps));
  }

  /** The resolution of an open operation, as an operator would find it in billmgr. */
  #resolutionOf({ key }: State, { change, state, attempt, before, elid }: Operation): Resolution | undefined {
    if (state !== "unknown" && state !== "unconfirmed") return undefined;
    const { sandbox, observer, scheduler } = this.#system;
    if (observer.calls.some((call) => call.key === key && isInFlight(call, scheduler.now))) return undefined;
    const isOrder = change.kind === "order";
    const [name, value] = isOrder ? ["comment", attempt?.params.comment] : ["elid", change.elid];
    if ([...this.#inCart].some((form) => form.get(name as string) === value)) return undefined;
    const licenses = sandbox.licenses();
    if (isOrder) {
      const unpaid = licenses.find(({ remoteid, status }) => remoteid === value && status === ordered);
      if (unpaid) {
        this.#grantRights();
        this.#doByHand({ func: `${change.family}.delete`, elid: unpaid.id, out: "xml" });
      }
      const bought = licenses.find(
        ({ remoteid, status }) => remoteid === value && status !== deleted && status !== ordered,
      );
      if (bought) return state === "unknown" ? { as: "adopt", elid: bought.id } : undefined;
      return elid === undefined ? { as: "never-bought" } : { as: "gone", elid };
    }
    if (change.kind === "prolong") {
      const isUnmoved = licenses.some(({ id, expiry }) => id === value && expiry === before.expiry);
      return isUnmoved ? { as: "never-bought" } : undefined;
    }
    this.#grantRights();
    this.#doByHand(attempt?.params ?? {});
    return { as: "done" };
  }
}

const referenceOfKey = (name: string, { slot, generation }: { slot: number; generation: number }): string => {
  const [storefront = "", ...id] = name.split("/");
  return referenceOf({ storefront, id: id.join("/") }, { n: slot, generation });
};

const ordered = 1;
const deleted = 4;
