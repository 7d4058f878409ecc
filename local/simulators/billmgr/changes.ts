/** The effect of each operation on licenses, balance, and ledger. */

import { type Account, nextId, productOf, type Request, recordChange, replace } from "./account.ts";
import { Refusal } from "./documents.ts";
import {
  AUTOSUSPENDED,
  addPeriod,
  DELETED,
  dateOf,
  daysBetween,
  EDITING,
  isExpired,
  type License,
  ORDERED,
  remove,
  resume,
  STOPPED,
  startProcessing,
  suspend,
} from "./license.ts";
import { type Addons, costOf, type Family, type Product } from "./products.ts";

export type Terms = {
  product: Product;
  period: number;
  addons: Addons;
  autoprolong: number | null;
};

export function createLicense(
  account: Account,
  request: Request,
  family: Family,
  terms: Terms,
  payment: "paid" | "unpaid",
): License {
  const { state, settings } = account;
  const now = account.now();
  const { params } = request;
  const fields = {
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
    deleting: false,
    processingUntil: null,
  };
  // The deleted twin comes first, so that a reader that takes the first match finds it.
  if (settings.deletedTwins) state.licenses.push(remove({ ...fields, id: nextId(state) }));
  const ordered: License = { ...fields, id: nextId(state) };
  const license = payment === "paid" ? startProcessing(ordered, "5_open", processingEnd(account)) : ordered;
  state.licenses.push(license);
  const { pricelist, period, addons, remoteid, comment, expiry } = license;
  recordChange(account, request, license, payment === "paid" ? costOf(terms.product, period, addons) : 0, {
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

/** Not idempotent: every call adds a period. The caller has already charged the cost. */
export function prolong(account: Account, request: Request, license: License, period: number): License {
  const staysStopped = license.substatus === AUTOSUSPENDED && !account.settings.prolongStarts;
  const prolonged: License = {
    ...license,
    period,
    expiry: addPeriod(license.expiry, period),
    ...(staysStopped && { staysStopped }),
  };
  const substatus = license.substatus === "5_open" ? "5_open" : "5_prolong";
  const processing = replace(account, startProcessing(prolonged, substatus, processingEnd(account)));
  recordChange(account, request, processing, costOf(productOf(license), period, license.addons), {
    operation: "prolong",
    period,
    expiryBefore: license.expiry,
    expiry: processing.expiry,
    ...(staysStopped && { staysStopped }),
  });
  return processing;
}

/** The following changes return false for a no-op. */

export function edit(account: Account, request: Request, license: License, addons: Addons, comment: string): boolean {
  const edited = { ...license, comment, addons: { ...license.addons, ...addons } };
  const product = productOf(license);
  const same = Object.keys(product.addons).every((code) => (edited.addons[code] ?? 0) === (license.addons[code] ?? 0));
  if (same && comment === license.comment) return false;
  replace(account, license.status === ORDERED ? edited : processed(account, edited, EDITING));
  recordChange(account, request, license, 0, {
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
  if (license.substatus === AUTOSUSPENDED && !account.settings.suspendsStopped) {
    throw new Refusal("value", "status", "The license is stopped already", String(license.status));
  }
  if (license.suspendedByRequest) return false;
  changeStatus(account, request, license, processed(account, suspend(license, account.now()), "5_suspend"), "suspend");
  return true;
}

export function resumeLicense(account: Account, request: Request, license: License): boolean {
  refuseUnpaidOrDeleted(license);
  // The reply is not documented. This simulator assumes that an expired license is not resumed without payment.
  if (license.status === STOPPED && isExpired(license, account.now()))
    throw new Refusal("value", "expiredate", "The license has expired", license.expiry);
  if (!license.suspendedByRequest && !license.staysStopped) return false;
  changeStatus(account, request, license, processed(account, resume(license, account.now()), "5_resume"), "resume");
  return true;
}

export function deleteLicense(account: Account, request: Request, license: License): boolean {
  if (license.status === DELETED || license.deleting) return false;
  const { minimumTermDays: minimum, changeProcessing } = account.settings;
  const age = daysBetween(dateOf(new Date(license.createdAt)), dateOf(account.now()));
  if (age < minimum) {
    const message = `The minimum term of the order is ${minimum} days, ${minimum - age} remain`;
    throw new Refusal("pricelist_min_order", "", message);
  }
  const deleting = changeProcessing && license.status !== ORDERED;
  const deleted = deleting ? processed(account, { ...license, deleting }, "5_close") : remove(license);
  changeStatus(account, request, license, deleted, "delete");
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
  recordChange(account, request, after, 0, { operation, status: after.status, statusBefore: before.status });
}

function processed(account: Account, license: License, substatus: string): License {
  return account.settings.changeProcessing ? startProcessing(license, substatus, processingEnd(account)) : license;
}

function processingEnd({ now, settings }: Account): Date {
  return new Date(now().getTime() + settings.processingSeconds * 1000);
}
