/** billmgr's functions: perform a request and return its document. */

import { type Account, charge, fundsRefusal, productOf, type Request } from "./account.ts";
import {
  createLicense,
  deleteLicense,
  edit,
  prolong,
  refuseUnpaidOrDeleted,
  resumeLicense,
  suspendLicense,
} from "./changes.ts";
import { type Element, element, field, ok, Refusal } from "./documents.ts";
import { addPeriod, DELETED, type License } from "./license.ts";
import { filter, list, pagingOf } from "./lists.ts";
import { type Operation, operationOf, type Params, split } from "./names.ts";
import { addonsOf, choice, licensesOf, productFor, termsOf } from "./parameters.ts";
import { costOf, type Family, TRIAL } from "./products.ts";
import { editForm, listDocument, orderForm, prolongForm } from "./views.ts";

export type Result = { children: Element[]; noop?: true };

/** @throws Refusal if billmgr answers with an error document */
export function perform(account: Account, request: Request): Result {
  const { func, params } = request;
  const { family } = split(func);
  const operation = operationOf(request);
  refuseMissingOrDenied(account, func, operation);
  switch (operation) {
    case "order":
      return { children: order(account, request, family) };
    case "form":
      return { children: orderForm(productFor(family, params)) };
    case "prolong":
      return { children: prolongLicense(account, request) };
    case "quote":
      return { children: quote(account, params) };
    case "edit":
      return editLicense(account, request, family);
    case "read": {
      const [license] = licensesOf(account, params, family);
      return { children: editForm(license, productOf(license), account.settings) };
    }
    case "suspend":
      return forEach(account, request, family, suspendLicense);
    case "resume":
      return forEach(account, request, family, resumeLicense);
    case "delete":
      return forEach(account, request, family, deleteLicense);
    case "list":
      return { children: list(account, family, params) };
    case "filter":
      return { children: filter(account, family, params) };
    case "balance":
      return { children: balance(account, func, params) };
    case "other":
      throw functionMissing(func);
  }
}

function refuseMissingOrDenied({ settings }: Account, func: string, operation: Operation): void {
  const among = (names: readonly string[]) => names.includes(func) || names.includes(operation);
  if (among(settings.missing)) throw functionMissing(func);
  if (among(settings.denied)) throw new Refusal("access", func, "Insufficient privileges to access the function", func);
}

function functionMissing(func: string): Refusal {
  return new Refusal("missed", "func", "The function is not found", func);
}

function order(account: Account, request: Request, family: Family): Element[] {
  const terms = termsOf(productFor(family, request.params), request.params);
  const cost = costOf(terms.product, terms.period, terms.addons);
  const { fundsReply } = account.settings;
  if (request.params.skipbasket !== "on") return leaveInCart(account, cost);

  const paid = charge(account, cost);
  if (!paid && fundsReply === "error") throw fundsRefusal(account);
  if (!paid && (fundsReply === "basket" || fundsReply === "cart_list")) return leaveInCart(account, cost);
  const license = createLicense(account, request, family, terms, paid ? "paid" : "unpaid");
  if (!paid && fundsReply === "unpaid_id") {
    return [field("id", license.id), field("billorder.id", account.state.nextOrderNumber++), ok()];
  }
  return orderReply(account, license);
}

function orderReply({ state, settings }: Account, { id, family, remoteid }: License): Element[] {
  switch (settings.orderReply) {
    case "foreign_id": {
      const other = state.licenses.find(
        (license) => license.family === family && license.remoteid !== remoteid && license.status !== DELETED,
      );
      return [field("id", other?.id ?? id), ok()];
    }
    case "none":
      return [ok()];
    case "order_number":
      return [field("id", state.nextOrderNumber++), ok()];
    default:
      return [field(settings.orderReply, id), ok()];
  }
}

/** The reply to an order that waits in the cart. Nothing is bought, although the document contains an `ok`. */
function leaveInCart({ state, settings }: Account, cost: number): Element[] {
  const number = state.nextOrderNumber++;
  if (settings.fundsReply === "cart_list") return [field("lineitem.id", number), ok("list", "func=cart")];
  return [
    field("billorder", number),
    field("payment_id", number),
    field("total_sum", cost.toFixed(2)),
    ok("url", "func=order"),
  ];
}

function prolongLicense(account: Account, request: Request): Element[] {
  const { license, period } = renewal(account, request.params);
  const cost = costOf(productOf(license), period, license.addons);
  if (!charge(account, cost)) {
    if (account.settings.fundsReply === "error") throw fundsRefusal(account);
    return leaveInCart(account, cost);
  }
  const { expiry } = prolong(account, request, license, period);
  // ISPsystem's own WHMCS module reads the new date from the nested doc.
  return [element("doc", {}, [field("newexpiredate", expiry)]), ok()];
}

function quote(account: Account, params: Params): Element[] {
  const { license, period } = renewal(account, params);
  return prolongForm(license, productOf(license), { period, expiry: addPeriod(license.expiry, period) });
}

function renewal(account: Account, params: Params): { license: License; period: number } {
  const [license] = licensesOf(account, params);
  refuseUnpaidOrDeleted(license);
  if (license.period === TRIAL) throw new Refusal("value", "period", "Trial licenses cannot be renewed", params.period);
  const product = productOf(license);
  const given = params.sok === "ok" ? params.period : (params.period ?? String(license.period));
  return { license, period: choice("period", given, product.periods) };
}

function editLicense(account: Account, request: Request, family: Family): Result {
  const [license] = licensesOf(account, request.params, family);
  if (license.status === DELETED) throw new Refusal("missed", "item", "The item does not exist", license.id);
  const addons = addonsOf(productOf(license), request.params);
  const changed = edit(account, request, license, addons, request.params.comment ?? license.comment);
  return { children: [ok()], ...(!changed && { noop: true }) };
}

function forEach(
  account: Account,
  request: Request,
  family: Family,
  change: (account: Account, request: Request, license: License) => boolean,
): Result {
  const changes = licensesOf(account, request.params, family).map((license) => change(account, request, license));
  return { children: [ok()], ...(!changes.includes(true) && { noop: true }) };
}

function balance({ settings }: Account, func: string, params: Params): Element[] {
  const money = settings.balance.toFixed(2);
  if (func === "whoami")
    return [element("user", { name: "reseller", balance: money, currency: settings.currency }, [])];
  const columns = [field("id", 1), field("name", "reseller"), field("balance", money)];
  return listDocument([element("elem", {}, [...columns, field("currency", settings.currency)])], pagingOf(params));
}
