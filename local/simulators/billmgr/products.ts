/**
 * The products of the sandbox. Codes and periods are from ISPsystem's docs: reselling-of-v6-ispsystem-s-licenses-via-api,
 * for ispmanager reselling-of-ispmanager-licenses-via-api and new-order-api.
 * Prices are invented; the real ones depend on the contract.
 */

export type Family = "platform" | "soft";
export type Addons = Record<string, number>;

export type Product = {
  family: Family;
  pricelist: number;
  name: string;
  pricePerMonth: number;
  addons: Record<string, { name: string; pricePerMonth: number }>;
  periods: readonly number[];
};

export const families: readonly Family[] = ["platform", "soft"];

/** The period code of a trial. Its duration is not documented. */
export const TRIAL = -100;
export const TRIAL_DAYS = 14;

const platform = { family: "platform", periods: [1, 12] } as const;
const soft = { family: "soft", periods: [1, 3, 6, 12, 24, 36] } as const;

const products: readonly Product[] = [
  {
    ...platform,
    pricelist: 55163,
    name: "VMmanager 6",
    pricePerMonth: 10,
    addons: {
      55165: { name: "Cluster nodes", pricePerMonth: 8.5 },
      55164: { name: "Virtual machines", pricePerMonth: 0.45 },
    },
  },
  { ...platform, pricelist: 55161, name: "DCImanager 6", pricePerMonth: 42, addons: {} },
  { ...soft, pricelist: 55227, name: "ispmanager 6 lite", pricePerMonth: 5.95, addons: {} },
  { ...soft, pricelist: 55228, name: "ispmanager 6 pro", pricePerMonth: 9.95, addons: {} },
  { ...soft, pricelist: 55229, name: "ispmanager 6 host", pricePerMonth: 14.95, addons: {} },
  {
    ...soft,
    pricelist: 55230,
    name: "ispmanager 6 business",
    pricePerMonth: 19.95,
    addons: { 55236: { name: "Nodes", pricePerMonth: 12 } },
  },
];

const byPricelist = new Map(products.map((product) => [String(product.pricelist), product]));

export function findProduct(pricelist: string | number): Product | undefined {
  return byPricelist.get(String(pricelist));
}

export function costOf(product: Product, period: number, addons: Addons): number {
  if (period === TRIAL) return 0;
  const perMonth = Object.entries(addons).reduce(
    (sum, [code, units]) => sum + (product.addons[code]?.pricePerMonth ?? 0) * units,
    product.pricePerMonth,
  );
  return cents(perMonth * period);
}

/** Rounds money to cents. */
export function cents(money: number): number {
  return Math.round(money * 100) / 100;
}
