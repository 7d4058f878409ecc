import * as z from "zod/mini";
import { explain, pathOf, suggest } from "../problems.ts";
import { type Item, storefrontNames } from "./event.ts";

const count = z.int().check(z.gte(0), z.lte(1_000_000));
const positive = z.int().check(z.positive());
/** Ten years: with much more, moments could not be reckoned any more. */
const days = z.number().check(z.gte(0), z.lte(3660));

const addonAmount = z.strictObject({
  base: z.optional(count),
  perUnit: z.optional(count),
});

const soldAs = z.optional(z.record(z.string(), z.array(z.string().check(z.minLength(1)))));

const product = z.strictObject({
  pricelist: positive,
  family: z._default(z.string().check(z.regex(/^[a-z][a-z0-9]*$/)), "platform"),
  addons: z._default(z.record(z.string(), positive), {}),
});

const plan = z.strictObject({
  product: z.string(),
  period: z.int().check(z.gte(1), z.lte(36)),
  addons: z._default(z.record(z.string(), addonAmount), {}),
  quantity: z._default(z.enum(["addons", "licenses"]), "addons"),
  trial: z.optional(z.strictObject({ period: z.int() })),
  autoprolong: z._default(z.nullable(z.union([z.literal(1), z.literal(12)])), null),
  soldAs,
});

const extra = z.strictObject({
  product: z.string(),
  addons: z.record(z.string(), addonAmount),
  soldAs,
});

const policy = z.strictObject({
  graceDays: z._default(days, 3),
  onEnd: z._default(z.enum(["suspend", "delete", "lapse"]), "suspend"),
  retentionDays: z._default(days, 14),
  renew: z._default(z.enum(["on_payment", "before_expiry"]), "on_payment"),
  renewAheadDays: z._default(days, 2),
  slackDays: z._default(days, 3),
  late: z._default(z.enum(["order", "prolong"]), "order"),
  orderGuard: z._default(z.enum(["strict", "lenient"]), "strict"),
  acceptTestMode: z._default(z.boolean(), false),
});

const limits = z.strictObject({
  ordersPerHour: z._default(positive, 20),
  ordersPerDay: z._default(positive, 100),
  concurrency: z._default(z.int().check(z.gte(2), z.lte(1000)), 5),
  exchangesPerMonth: z._default(count, 3),
  minimumBalance: z.optional(z.number()),
});

/** https anywhere, http only on this machine, and no user, password or query that a log would show. */
export function isBillmgrUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search } = new URL(text);
  const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return (protocol === "https:" || (protocol === "http:" && isLocal)) && !username && !password && !search;
}

const billmgrUrl = z.string().check(
  z.refine(isBillmgrUrl, {
    message: "an https address (http only on this machine), without user, password or query",
  }),
);

const billmgr = z.strictObject({
  url: billmgrUrl,
  // What billmgr answers when the balance does not suffice is documented nowhere.
  fundsErrors: z._default(z.array(z.string().check(z.minLength(1))), ["money", "fund", "balance", "credit"]),
});

export const catalogSchema = z.strictObject({
  $schema: z.optional(z.string()),
  billmgr,
  products: z.record(z.string(), product),
  plans: z.record(z.string(), plan),
  extras: z._default(z.record(z.string(), extra), {}),
  ignored: z._default(z.record(z.string(), z.array(z.string())), {}),
  policy: z.prefault(policy, {}),
  limits: z.prefault(limits, {}),
});

export type Catalog = z.output<typeof catalogSchema>;
export type Plan = Catalog["plans"][string];
export type Product = Catalog["products"][string];
export type Policy = Catalog["policy"];

export class CatalogError extends Error {
  override name = "CatalogError";
}

/**
 * Reads a catalog.json value, filling in the defaults.
 * @throws CatalogError naming each path, what was found and what was expected
 */
export function parseCatalog(value: unknown): Catalog {
  const parsed = z.safeParse(catalogSchema, value);
  const problems = parsed.success ? contradictions(parsed.data) : explain(catalogSchema, parsed.error.issues, value);
  if (!parsed.success || problems.length > 0) throw new CatalogError(problems.join("\n"));
  return parsed.data;
}

/** Events of a storefront's test mode count locally as any others. */
export const acceptingTests = (catalog: Catalog): Catalog => ({
  ...catalog,
  policy: { ...catalog.policy, acceptTestMode: true },
});

/** What an item of a subscription is by the catalog; `undefined` when nothing in it is sold under any of the names. */
export function lookUp(
  catalog: Catalog,
  storefront: string,
  item: Item,
): { plan: string } | { extra: string } | "ignored" | undefined {
  const isSold = (name: string, entry: Plan | Catalog["extras"][string], sold: string): boolean =>
    (storefront === "standard" && name === sold) || entry.soldAs?.[storefront]?.includes(sold) === true;
  // The first name is the narrowest: a price before the product that it is one of.
  for (const sold of item.names) {
    const plan = Object.entries(catalog.plans).find(([name, entry]) => isSold(name, entry, sold));
    if (plan) return { plan: plan[0] };
    const extra = Object.entries(catalog.extras).find(([name, entry]) => isSold(name, entry, sold));
    if (extra) return { extra: extra[0] };
    if (catalog.ignored[storefront]?.includes(sold)) return "ignored";
  }
  return undefined;
}

/** Not what every object has by its prototype: "constructor" is no product. */
const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** What a schema cannot check: names of products, addons and storefronts, things sold twice, settings at odds. */
function contradictions(catalog: Catalog): string[] {
  const problems: string[] = [];
  const sold = new Map<string, string>();
  const checkStorefronts = (path: string[], listed: Record<string, string[]>) => {
    for (const [storefront, names] of Object.entries(listed)) {
      if (!storefrontNames.some((known) => known === storefront)) {
        problems.push(`${pathOf([...path, storefront])}: no such storefront${suggest(storefront, storefrontNames)}`);
      }
      for (const name of names) {
        const other = sold.get(`${storefront} ${name}`);
        if (other) problems.push(`${pathOf([...path, storefront])}: "${name}" is already sold as ${other}`);
        sold.set(`${storefront} ${name}`, pathOf(path.slice(0, 2)));
      }
    }
  };
  for (const name of Object.keys(catalog.extras)) {
    if (Object.hasOwn(catalog.plans, name)) problems.push(`${pathOf(["extras", name])}: a plan has that name too`);
  }
  for (const kind of ["plans", "extras"] as const) {
    for (const [name, entry] of Object.entries(catalog[kind])) {
      const product = own(catalog.products, entry.product);
      if (!product) {
        const hint = suggest(entry.product, Object.keys(catalog.products));
        problems.push(`${pathOf([kind, name, "product"])}: no product "${entry.product}"${hint}`);
      }
      for (const addon of Object.keys(product ? entry.addons : {})) {
        if (own(product?.addons ?? {}, addon) === undefined) {
          const hint = suggest(addon, Object.keys(product?.addons ?? {}));
          problems.push(`${pathOf([kind, name, "addons", addon])}: "${entry.product}" has no such addon${hint}`);
        }
      }
      checkStorefronts([kind, name, "soldAs"], entry.soldAs ?? {});
    }
  }
  checkStorefronts(["ignored"], catalog.ignored);
  if (catalog.policy.onEnd === "lapse") {
    for (const [name, { autoprolong }] of Object.entries(catalog.plans)) {
      if (autoprolong === null) continue;
      problems.push(
        `${pathOf(["plans", name, "autoprolong"])}: billmgr would go on buying what policy.onEnd leaves to lapse`,
      );
    }
  }
  return problems;
}
