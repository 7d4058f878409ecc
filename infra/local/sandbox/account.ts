/** The reseller's account: what each operation does to licenses, balance and ledger. */

import { Refusal } from "./documents.ts";
import {
  ACTIVE,
  addPeriod,
  DELETED,
  dateOf,
  daysBetween,
  EDITING,
  isExpired,
  type License,
  ORDERED,
  PROCESSING,
  remove,
  resume,
  STOPPED,
  settle,
  startProcessing,
  suspend,
} from "./license.ts";
import { type Addons, cents, costOf, type Family, findProduct, type Product } from "./products.ts";
import type { LedgerChange, SandboxState } from "./state.ts";

export type Account = { readonly state: SandboxState; now(): Date };

/** A request for a change, as the ledger remembers it. */
export type Request = { func: string; params: Record<string, string>; by?: "autoprolong" };

export type Terms = {
  product: Product;
  period: number;
  addons: Addons;
  autoprolong: number | null;
};

/** Brings every license up to the clock. True if something changed. */
export function advance(account: Account): boolean {
  const { state } = account;
  const now = account.now();
  let changed = false;
  for (const [i, license] of state.licenses.entries()) {
    const settled = settle(autoprolong(account, license), now, state.settings.stuckProcessing);
    if (settled === license) continue;
    state.licenses[i] = settled;
    changed = true;
  }
  return changed;
}

export function find({ state }: Account, id: string): License {
  const license = state.licenses.find((candidate) => candidate.id === id);
  if (!license || (license.status === DELETED && !state.settings.deletedLinger))
    throw new Refusal("missed", "item", "The item does not exist", id);
  return license;
}

export function productOf(license: License): Product {
  const product = findProduct(license.pricelist);
  if (!product) throw new Error(`license ${license.id} has the unknown pricelist ${license.pricelist}`);
  return product;
}

/** Takes the money, unless the balance does not suffice. */
export function charge({ state: { settings } }: Account, cost: number): boolean {
  if (cost > settings.balance) return false;
  settings.balance = cents(settings.balance - cost);
  return true;
}

export function fundsRefusal({ state: { settings } }: Account): Refusal {
  return new Refusal(settings.fundsError.type, settings.fundsError.object, "Insufficient funds");
}

export function createLicense(
  account: Account,
  request: Request,
  family: Family,
  terms: Terms,
  payment: "paid" | "unpaid",
): License {
  const { state } = account;
  const now = account.now();
  const { params } = request;
  const ordered: License = {
    id: String(state.nextId++),
    family,
    pricelist: terms.product.pricelist,
    period: terms.period,
    status: ORDERED,
    substatus: String(ORDERED),
    createdAt: now.toISOString(),
    expiry: addPeriod(dateOf(now), terms.period),
    autoprolong: terms.autoprolong,
    addons: terms.addons,
    remoteid: params.remoteid ?? "",
    comment: params.comment ?? "",
    licname: params.licname ?? "",
    ip: params.ip ?? "",
    lickey: "",
    suspendedByRequest: false,
    processingUntil: null,
  };
  const license = payment === "paid" ? startProcessing(ordered, "5_open", processingEnd(account)) : ordered;
  state.licenses.push(license);
  const { pricelist, period, addons, remoteid, comment, expiry } = license;
  enter(account, request, license, payment === "paid" ? costOf(terms.product, period, addons) : 0, {
    operation: "order",
    pricelist,
    period,
    addons,
    remoteid,
    comment,
    expiry,
    ...(payment === "unpaid" && { unpaid: true }),
  });
  return license;
}

/** Not idempotent: every call adds a period. The caller has charged it. */
export function prolong(account: Account, request: Request, license: License, period: number): License {
  const prolonged = { ...license, period, expiry: addPeriod(license.expiry, period) };
  const substatus = license.substatus === "5_open" ? "5_open" : "5_prolong";
  const processing = replace(account, startProcessing(prolonged, substatus, processingEnd(account)));
  enter(account, request, processing, costOf(productOf(license), period, license.addons), {
    operation: "prolong",
    period,
    expiryBefore: license.expiry,
    expiry: processing.expiry,
  });
  return processing;
}

/** Each of the following changes answers false if there was nothing to change. */

export function edit(account: Account, request: Request, license: License, addons: Addons, comment: string): boolean {
  const edited = { ...license, comment, addons: { ...license.addons, ...addons } };
  const product = productOf(license);
  const same = Object.keys(product.addons).every((code) => (edited.addons[code] ?? 0) === (license.addons[code] ?? 0));
  if (same && comment === license.comment) return false;
  const processed = account.state.settings.editProcessing && license.status !== ORDERED;
  replace(account, processed ? startProcessing(edited, EDITING, processingEnd(account)) : edited);
  enter(account, request, license, 0, {
    operation: "edit",
    addons: edited.addons,
    addonsBefore: license.addons,
    comment,
    commentBefore: license.comment,
  });
  return true;
}

export function suspendLicense(account: Account, request: Request, license: License): boolean {
  refuseUnpaidOrDeleted(license);
  if (license.suspendedByRequest) return false;
  changeStatus(account, request, license, suspend(license, account.now()), "suspend");
  return true;
}

export function resumeLicense(account: Account, request: Request, license: License): boolean {
  refuseUnpaidOrDeleted(license);
  // What billmgr answers here is not documented; that an expired license does not come back unpaid is common sense.
  if (license.status === STOPPED && isExpired(license, account.now()))
    throw new Refusal("value", "expiredate", "The license has expired", license.expiry);
  if (!license.suspendedByRequest) return false;
  changeStatus(account, request, license, resume(license, account.now()), "resume");
  return true;
}

export function deleteLicense(account: Account, request: Request, license: License): boolean {
  if (license.status === DELETED) return false;
  const minimum = account.state.settings.minimumTermDays;
  const age = daysBetween(dateOf(new Date(license.createdAt)), dateOf(account.now()));
  if (age < minimum) {
    const message = `The minimum term of the order is ${minimum} days, ${minimum - age} remain`;
    throw new Refusal("pricelist_min_order", "", message);
  }
  changeStatus(account, request, license, remove(license), "delete");
  return true;
}

export function refuseUnpaidOrDeleted(license: License): void {
  if (license.status === DELETED) throw new Refusal("missed", "item", "The item does not exist", license.id);
  if (license.status === ORDERED) throw new Refusal("value", "status", "The order is not paid", String(license.status));
}

function changeStatus(
  account: Account,
  request: Request,
  before: License,
  after: License,
  operation: "suspend" | "resume" | "delete",
): void {
  replace(account, after);
  enter(account, request, after, 0, { operation, status: after.status, statusBefore: before.status });
}

/** As many periods as the clock has passed and the balance pays for. */
function autoprolong(account: Account, license: License): License {
  const running = license.status === ACTIVE || license.status === PROCESSING;
  if (!running || license.suspendedByRequest || !license.autoprolong) return license;
  const cost = costOf(productOf(license), license.autoprolong, license.addons);
  let current = license;
  while (isExpired(current, account.now()) && charge(account, cost))
    current = prolong(account, { func: "", params: {}, by: "autoprolong" }, current, license.autoprolong);
  return current;
}

function processingEnd(account: Account): Date {
  return new Date(account.now().getTime() + account.state.settings.processingSeconds * 1000);
}

function replace({ state }: Account, license: License): License {
  state.licenses[state.licenses.findIndex(({ id }) => id === license.id)] = license;
  return license;
}

function enter(account: Account, request: Request, license: License, cost: number, change: LedgerChange): void {
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
