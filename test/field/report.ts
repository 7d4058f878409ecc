import { describe, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { type Catalog, parseCatalog } from "../../shared/licensing/catalog.ts";
import { type StorefrontName, storefrontNames } from "../../shared/licensing/event.ts";
import { post, startTestStack } from "../support/local.ts";
import { headersOf } from "../support/signers.ts";

/** Webhooks that a storefront is known to send, and the licenses that a reseller expects of them, tested end to end. */
export type Report = {
  happens: string;
  /** How we know that the vendor sends this. */
  source: string;
  /** The webhooks in the order of delivery. */
  sends: Sent[];
  /** The licenses at the end of these days after the first. Deleted ones are not listed. */
  licenses: [day: number, ...statuses: Status[]][];
  /** All orders and prolongs, with their months; a trial has the period -100. */
  buys: string[];
  /** The number of attention items at the end. The default is 0. */
  attention?: number;
};

export type Sent = { day: number; body: unknown; headers?: Record<string, string> };

type Status = "active" | "suspended";

/** The moment of the first webhook. */
export const start = new Date("2026-12-01T10:00:00Z");

export const dateOn = (day: number): Date => new Date(start.getTime() + day * 86_400_000);
export const timeOn = (day: number): string => dateOn(day).toISOString();
export const secondsOn = (day: number): number => Math.round(dateOn(day).getTime() / 1000);

let sent = 0;
export const newId = (prefix: string): string => `${prefix}_${++sent}`;

type PlanName = "vm-monthly" | "vm-yearly" | "dci";

/** @param names the storefront's names of the plans. Each storefront sells the plans under these names. */
export function catalogOf(names: Partial<Record<PlanName, string[]>>): Catalog {
  const soldAs = (plan: PlanName) =>
    Object.fromEntries(storefrontNames.map((storefront) => [storefront, names[plan] ?? []]));
  const vmmanager = { product: "vmmanager6", addons: { nodes: { perUnit: 1 } } };
  return parseCatalog({
    billmgr: { url: "https://billmgr.example/manager/billmgr" },
    products: {
      vmmanager6: { pricelist: 55163, addons: { nodes: 55165 } },
      dcimanager6: { pricelist: 55161 },
    },
    plans: {
      "vm-monthly": { ...vmmanager, period: 1, soldAs: soldAs("vm-monthly") },
      "vm-yearly": { ...vmmanager, period: 12, soldAs: soldAs("vm-yearly") },
      dci: {
        product: "dcimanager6",
        period: 1,
        quantity: "licenses",
        trial: { period: -100 },
        soldAs: soldAs("dci"),
      },
    },
    policy: { graceDays: 3, onEnd: "suspend", retentionDays: 14 },
  });
}

const catalog = catalogOf({ "vm-monthly": ["vm-month"], "vm-yearly": ["vm-year"], dci: ["dci-month"] });

const statuses: Record<number, Status> = { 2: "active", 3: "suspended" };

/** @returns the licenses that are not deleted */
export const licensesOf = ({ sandbox }: LocalStack): Status[] =>
  (sandbox?.licenses() ?? []).flatMap(({ status }) => statuses[status] ?? []);

/** `sold`: the catalog, where the storefront's names for the plans are not plain words. */
export function checkReports(storefront: StorefrontName, reports: readonly Report[], sold = catalog): void {
  describe(`at ${storefront}`, () => {
    test.each(reports)("$happens", { timeout: 60_000 }, async ({ sends, licenses, buys, attention = 0 }) => {
      const stack = await startTestStack({ catalog: sold, clock: start });
      try {
        const checks = [...licenses];
        const checkUntil = async (day: number) => {
          for (let next = checks[0]; next && next[0] < day; next = checks[0]) {
            const [on, ...expected] = next;
            await stack.advanceTo(dateOn(on));
            expect(licensesOf(stack), `the licenses on day ${on}`).toEqual(expected);
            checks.shift();
          }
        };
        for (const { day, body, headers = {} } of sends) {
          await checkUntil(day);
          if (dateOn(day) > stack.clock.now()) await stack.advanceTo(dateOn(day));
          const text = JSON.stringify(body);
          const signed = headersOf(storefront, { name: newId("msg"), headers }, text, stack.clock.now());
          expect((await post(`${stack.url}/webhooks/${storefront}`, text, signed)).status).toBe(200);
          await stack.settle();
        }
        await checkUntil(Number.POSITIVE_INFINITY);
        const bought = (stack.sandbox?.ledger() ?? []).flatMap((entry) =>
          entry.operation === "order" || entry.operation === "prolong" ? [`${entry.operation} ${entry.period}`] : [],
        );
        expect(bought).toEqual(buys);
        expect((await stack.table.attention()).keys).toHaveLength(attention);
      } finally {
        await stack.stop();
      }
    });
  });
}
