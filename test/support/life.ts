import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect } from "vitest";
import type { LocalStack } from "../../infra/local/stack.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";
import { authinfo, post, startTestStack, stateOf } from "./local.ts";

/** A webhook of a storefront's, signed for the moment at which it is delivered. */
export type Delivery = { at: Date; body: string; headers: (now: Date) => Record<string, string> };

export type Shop = { name: string; secret: string; soldAs: { monthly: string; other: string } };

export const fixturesOf = <T>(folder: string): T[] => {
  const at = new URL(`../fixtures/${folder}/`, import.meta.url);
  return readdirSync(at)
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(file, at), "utf8")) as T);
};

/** A stack that sells VMmanager by nodes, and DCImanager, in the shop. */
export const openShop = ({ name, secret, soldAs }: Shop, clock?: Date): Promise<LocalStack> =>
  startTestStack({
    catalog: parseCatalog({
      billmgr: { url: "https://api.ispsystem.com/manager/billmgr" },
      products: { vmmanager6: { pricelist: 55163, addons: { nodes: 55165 } }, dcimanager6: { pricelist: 55161 } },
      plans: {
        "vm6-monthly": {
          product: "vmmanager6",
          period: 1,
          addons: { nodes: { perUnit: 1 } },
          soldAs: { [name]: [soldAs.monthly] },
        },
        "dci6-monthly": { product: "dcimanager6", period: 1, soldAs: { [name]: [soldAs.other] } },
      },
    }),
    secrets: () => JSON.stringify({ billmgr: authinfo, storefronts: { [name]: ["an older secret of it", secret] } }),
    ...(clock && { clock }),
  });

export async function deliver(stack: LocalStack, { name }: Shop, { body, headers }: Delivery): Promise<void> {
  const { status } = await post(`${stack.url}/webhooks/${name}`, body, headers(stack.clock.now()));
  expect(status).toBe(200);
}

/** Each at its time, and what billmgr was told by the end. */
export async function live(stack: LocalStack, shop: Shop, life: readonly Delivery[], until: Date): Promise<unknown[]> {
  for (const one of life) {
    if (one.at > stack.clock.now()) await stack.advanceTo(one.at);
    await deliver(stack, shop, one);
  }
  await stack.advanceTo(until);
  return (stack.sandbox?.ledger() ?? []).map(({ at, operation, ...entry }) => [
    at.slice(0, 10),
    operation,
    ...("addons" in entry ? [entry.addons] : []),
  ]);
}

/** In which order an object got its keys is no difference. */
const sorted = (_: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** What comes of the same deliveries in different orders, some of them repeated: one outcome, if the order plays no part. */
export async function outcomes(shop: Shop, life: readonly Delivery[], subscription: string): Promise<Set<string>> {
  const seen = new Set<string>();
  const end = life.at(-1)?.at ?? new Date(0);
  const twice = [...life, ...life.slice(0, 4)];
  for (const order of [life, ...fc.sample(fc.shuffledSubarray(twice, { minLength: twice.length }), 4)]) {
    const stack = await openShop(shop, end);
    try {
      for (const one of order) await deliver(stack, shop, one);
      await stack.advanceTo(new Date(end.getTime() + 86_400_000));
      const { slots, payments, failures, end: ends } = (await stateOf(stack, `${shop.name}/${subscription}`)) ?? {};
      const licenses = stack.sandbox?.licenses().map(({ status, addons, expiry }) => ({ status, addons, expiry }));
      seen.add(JSON.stringify({ slots, payments, failures, ends, licenses }, sorted));
    } finally {
      await stack.stop();
    }
  }
  return seen;
}
