/** The reseller's account: licenses, money, and ledger. */

import { Refusal } from "./documents.ts";
import { DELETED, type License } from "./license.ts";
import { cents, findProduct, type Product } from "./products.ts";
import type { Settings } from "./settings.ts";
import type { LedgerChange, SandboxState } from "./state.ts";

/** `settings` apply to one call and may include a fault's. The real balance is that of the state's settings. */
export type Account = { readonly state: SandboxState; readonly settings: Settings; now(): Date };

/** A request for a change, as recorded in the ledger. */
export type Request = { func: string; params: Record<string, string>; by?: "autoprolong" };

export function find({ state, settings }: Account, id: string): License {
  const license = state.licenses.find((candidate) => candidate.id === id);
  if (!license || (license.status === DELETED && !settings.deletedLinger))
    throw new Refusal("missed", "item", "The item does not exist", id);
  return license;
}

export function productOf(license: License): Product {
  const product = findProduct(license.pricelist);
  if (!product) throw new Error(`license ${license.id} has the unknown pricelist ${license.pricelist}`);
  return product;
}

/** Deducts the cost. @returns false if the balance is too low */
export function charge({ state, settings }: Account, cost: number): boolean {
  if (cost > settings.balance) return false;
  state.settings.balance = cents(state.settings.balance - cost);
  return true;
}

export function fundsRefusal({ settings }: Account): Refusal {
  return new Refusal(settings.fundsError.type, settings.fundsError.object, "Insufficient funds");
}

export function nextId(state: SandboxState): string {
  return String(state.nextId++);
}

export function replace({ state }: Account, license: License): License {
  state.licenses[state.licenses.findIndex(({ id }) => id === license.id)] = license;
  return license;
}

export function recordChange(
  account: Account,
  request: Request,
  license: License,
  cost: number,
  change: LedgerChange,
): void {
  const { ledger, settings } = account.state;
  ledger.push({
    n: ledger.length + 1,
    at: account.now().toISOString(),
    func: request.func,
    elid: license.id,
    params: request.params,
    cost,
    balance: settings.balance,
    ...(request.by && { by: request.by }),
    ...change,
  });
}
