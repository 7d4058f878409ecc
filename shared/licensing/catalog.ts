import * as z from "zod/mini";
import { explain, formatPath, InvalidDocument, type Problem, suggest } from "../problems.ts";
import { type Item, storefrontNames } from "./event.ts";

const count = z.int().check(z.gte(0), z.lte(1_000_000));
const positive = z.int().check(z.positive());
/** Ten years. With a much larger value, date arithmetic would leave the range of Date. */
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
  shopifyOrders: z._default(z.enum(["contract", "customer"]), "contract"),
  acceptTestMode: z._default(z.boolean(), false),
});

const limits = z.strictObject({
  ordersPerHour: z._default(positive, 20),
  ordersPerDay: z._default(positive, 100),
  concurrency: z._default(z.int().check(z.gte(2), z.lte(1000)), 5),
  exchangesPerMonth: z._default(count, 3),
  minimumBalance: z.optional(z.number()),
});

/** Accepts https, and http for this machine only. A user, password, or query is rejected because logs would show it. */
export function isBillmgrUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search } = new URL(text);
  const isLocal = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  return (protocol === "https:" || (protocol === "http:" && isLocal)) && !username && !password && !search;
}

const billmgrUrl = z.string().check(
  z.refine(isBillmgrUrl, {
    message: "an https URL (http only on this machine) without user, password, or query",
  }),
);

const billmgr = z.strictObject({
  url: billmgrUrl,
  // ISPsystem does not document the error for an insufficient balance.
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

/** The catalog has problems. The message describes each problem on its own line. */
export class CatalogError extends InvalidDocument {
  override name = "CatalogError";
  readonly code = "catalog_invalid";
}

/** Parses the value of a catalog.json and adds the defaults. @throws CatalogError */
export function parseCatalog(value: unknown): Catalog {
  const parsed = z.safeParse(catalogSchema, value);
  const problems = parsed.success ? contradictions(parsed.data) : explain(catalogSchema, parsed.error.issues, value);
  if (!parsed.success || problems.length > 0) throw new CatalogError(problems);
  return parsed.data;
}

/** For local use: accepts events of a storefront's test mode like all others. */
export const acceptingTests = (catalog: Catalog): Catalog => ({
  ...catalog,
  policy: { ...catalog.policy, acceptTestMode: true },
});

/** Finds the catalog entry of an item. Returns `undefined` if the catalog sells nothing under any of its names. */
export function lookUp(
  catalog: Catalog,
  storefront: string,
  item: Item,
): { plan: string } | { extra: string } | "ignored" | undefined {
  const isSold = (name: string, entry: Plan | Catalog["extras"][string], sold: string): boolean =>
    (storefront === "standard" && name === sold) || entry.soldAs?.[storefront]?.includes(sold) === true;
  // Names are ordered from narrow to broad: first the price, then its product.
  for (const sold of item.names) {
    const plan = Object.entries(catalog.plans).find(([name, entry]) => isSold(name, entry, sold));
    if (plan) return { plan: plan[0] };
    const extra = Object.entries(catalog.extras).find(([name, entry]) => isSold(name, entry, sold));
    if (extra) return { extra: extra[0] };
    if (catalog.ignored[storefront]?.includes(sold)) return "ignored";
  }
  return undefined;
}

/** Ignores properties of the prototype: "constructor" is not a product. */
const own = <T>(record: Record<string, T>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Finds problems that a schema cannot: unknown products, addons, and storefronts; duplicates; conflicting settings. */
function contradictions(catalog: Catalog): Problem[] {
  const problems: Problem[] = [];
  const sold = new Map<string, string>();
  const checkStorefronts = (path: string[], listed: Record<string, string[]>) => {
    for (const [storefront, names] of Object.entries(listed)) {
      if (!storefrontNames.some((known) => known === storefront)) {
        const text = `is not a storefront${suggest(storefront, storefrontNames)}`;
        problems.push({ path: [...path, storefront], text });
      }
      for (const name of names) {
        const other = sold.get(`${storefront} ${name}`);
        if (other) {
          const text = `lists "${name}", which is already sold as ${other}; list each id once`;
          problems.push({ path: [...path, storefront], text });
        }
        sold.set(`${storefront} ${name}`, formatPath(path.slice(0, 2)));
      }
    }
  };
  for (const name of Object.keys(catalog.extras)) {
    if (Object.hasOwn(catalog.plans, name)) {
      problems.push({ path: ["extras", name], text: "has the name of a plan; choose another name" });
    }
  }
  for (const kind of ["plans", "extras"] as const) {
    for (const [name, entry] of Object.entries(catalog[kind])) {
      const product = own(catalog.products, entry.product);
      if (!product) {
        const hint = suggest(entry.product, Object.keys(catalog.products));
        const text = `is "${entry.product}", which is not a product${hint}`;
        problems.push({ path: [kind, name, "product"], text });
      }
      for (const addon of Object.keys(product ? entry.addons : {})) {
        if (own(product?.addons ?? {}, addon) === undefined) {
          const hint = suggest(addon, Object.keys(product?.addons ?? {}));
          const text = `is not an addon of "${entry.product}"${hint}`;
          problems.push({ path: [kind, name, "addons", addon], text });
        }
      }
      checkStorefronts([kind, name, "soldAs"], entry.soldAs ?? {});
    }
  }
  checkStorefronts(["ignored"], catalog.ignored);
  if (catalog.policy.onEnd === "lapse") {
    for (const [name, { autoprolong }] of Object.entries(catalog.plans)) {
      if (autoprolong === null) continue;
      const text = `is ${autoprolong}; expected null, because policy.onEnd is "lapse" and billmgr would keep renewing`;
      problems.push({ path: ["plans", name, "autoprolong"], text });
    }
  }
  return problems;
}
