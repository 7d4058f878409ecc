import type { KnownLicense } from "../billmgr/readback.ts";
import { digestOf } from "../digest.ts";
import type { Balance } from "../licensing/operation.ts";
import type { Instant } from "../licensing/time.ts";
import { type Items, schema } from "./items.ts";

/** While calls are halted, due subscriptions are deferred by this time. Resuming wakes everything due within it. */
export const haltRecheckSeconds = 300;

export type Halt = { since: Instant; reason: string };

/** `low`: below `limits.minimumBalance`. */
export type ReadBalance = Balance & { at: Instant; low: boolean };

/** State that all subscriptions share: the halt, order counters, the balance, and some known licenses. */
export type Control = {
  halt(): Promise<Halt | undefined>;
  setHalt(halt: Halt): Promise<void>;
  liftHalt(): Promise<void>;
  /** Stores the account's balance as last read. */
  putBalance(balance: ReadBalance): Promise<void>;
  balance(): Promise<ReadBalance | undefined>;
  /** Counts one order against the limits of the hour and the day. @returns the exhausted limit, if there is one */
  takeOrder(now: Instant, limits: { ordersPerHour: number; ordersPerDay: number }): Promise<true | string>;
  /** The orders counted in that hour and on that day. */
  ordersTaken(now: Instant): Promise<{ hour: number; day: number }>;
  /** Some licenses of a family that this system ordered. */
  knownLicenses(family: string): Promise<KnownLicense[]>;
  addKnownLicense(family: string, knownLicense: KnownLicense): Promise<void>;
};

const pk = "control";
/** Several for each family, because a license can be deleted and a list may omit deleted ones. */
const maxKnownLicenses = 5;
const countersKeptDays = 3;

export function controlIn({ get, put, update, remove, collect }: Items): Control {
  /** Adds one unless that passes the limit. */
  const count = (sk: string, limit: number, expiresAt: number): Promise<boolean> =>
    update(pk, sk, "SET expiresAt = :expiresAt, #schema = :schema ADD orders :one", {
      if: "attribute_not_exists(orders) OR orders < :limit",
      with: { ":one": 1, ":limit": limit, ":expiresAt": expiresAt, ":schema": schema },
      // A reserved word in DynamoDB.
      names: { "#schema": "schema" },
    });

  const taken = async (sk: string): Promise<number> => Number((await get(pk, sk))?.orders ?? 0);
  const hourOf = (now: Instant): string => `orders#${now.slice(0, 13)}`;
  const dayOf = (now: Instant): string => `orders#${now.slice(0, 10)}`;

  return {
    async halt() {
      const { since, reason } = ((await get(pk, "halt")) ?? {}) as Partial<Halt>;
      return since === undefined || reason === undefined ? undefined : { since, reason };
    },

    async setHalt({ since, reason }) {
      // Keeps the first reason: later ones only follow from it.
      await put({ pk, sk: "halt", since, reason }, { if: "attribute_not_exists(pk)" });
    },

    liftHalt: () => remove(pk, "halt"),

    async putBalance(balance) {
      await put({ pk, sk: "balance", ...balance });
    },

    async balance() {
      const item = await get(pk, "balance");
      if (!item) return undefined;
      const { pk: _, sk, ...balance } = item;
      return balance as ReadBalance;
    },

    async takeOrder(now, { ordersPerHour, ordersPerDay }) {
      const expiresAt = Math.floor(Date.parse(now) / 1000) + countersKeptDays * 86_400;
      if (!(await count(hourOf(now), ordersPerHour, expiresAt))) return `${ordersPerHour} orders per hour`;
      if (!(await count(dayOf(now), ordersPerDay, expiresAt))) return `${ordersPerDay} orders per day`;
      return true;
    },

    async ordersTaken(now) {
      const [hour, day] = await Promise.all([taken(hourOf(now)), taken(dayOf(now))]);
      return { hour, day };
    },

    knownLicenses: (family) => collect<KnownLicense>(pk, `known-license#${family}#`),

    async addKnownLicense(family, { elid, reference }) {
      const n = Number.parseInt(digestOf(elid).slice(0, 8), 16) % maxKnownLicenses;
      await put({ pk, sk: `known-license#${family}#${n}`, elid, reference });
    },
  };
}
