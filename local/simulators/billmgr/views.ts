/** The documents about licenses: list rows, which are made for people, and forms. */

import { type Element, element, field } from "./documents.ts";
import { ACTIVE, AUTOSUSPENDED, type License, SUSPENDED_BY_REQUEST } from "./license.ts";
import { costOf, type Product, TRIAL } from "./products.ts";
import type { Settings } from "./settings.ts";

export type Paging = { size: number; page: number };

/** p_elems is the total, p_cnt the page size, p_num the page number. An empty list has no elem at all (observed). */
export function listDocument(rows: readonly Element[], paging: Paging): Element[] {
  const from = (paging.page - 1) * paging.size;
  return [
    ...rows.slice(from, from + paging.size),
    field("p_num", paging.page),
    field("p_cnt", paging.size),
    field("p_elems", rows.length),
  ];
}

/**
 * Reproduces traps that were observed: pricelist is a name, cost and autoprolong are display texts, createdate appears
 * twice, and expiredate may be a label. billmgr uses a label for daily billing, the sandbox for trials.
 */
export function listRow(license: License, product: Product, settings: Settings): Element {
  const created = license.createdAt.slice(0, 10);
  const cost = costOf(product, license.period, license.addons).toFixed(2);
  return element("elem", {}, [
    field("id", license.id),
    field("name", nameOf(license, product)),
    field("licname", license.licname),
    field("ip", license.ip),
    field("pricelist", product.name),
    field("period", periodName(license.period)),
    field("cost", `${cost} ${settings.currency} / ${periodName(license.period)}`),
    field("billdaily", "off"),
    field("createdate", created),
    field("expiredate", license.period === TRIAL ? "Trial period" : license.expiry),
    field("real_expiredate", license.expiry),
    field("autoprolong", license.autoprolong ? periodName(license.autoprolong) : "Disabled"),
    ...statusFields(license, settings, field("item_real_status", license.status)),
    field("processingmodule", "ISPsystem"),
    field("createdate", created),
    ...(settings.listShowsRemoteid ? [field("remoteid", license.remoteid)] : []),
    ...(settings.listShowsComment ? [field("comment", license.comment)] : []),
  ]);
}

const hiddenFields: Record<Settings["formHides"][number], RegExp> = {
  status: /^(status|item_status|item_real_status)$/,
  expiry: /^(real_)?expiredate$/,
  addons: /^addon_/,
  remoteid: /^remoteid$/,
  comment: /^comment$/,
};

/** The form of one license: its fields, and the other content of a form. */
export function editForm(license: License, product: Product, settings: Settings): Element[] {
  const { formHides } = settings;
  const fields = [
    field("elid", license.id),
    field("id", license.id),
    field("name", nameOf(license, product)),
    field("licname", license.licname),
    field("ip", license.ip),
    field("lickey", license.lickey),
    ...statusFields(license, settings),
    field("pricelist", license.pricelist),
    field("pricelist_name", product.name),
    field("createdate", license.createdAt.slice(0, 10)),
    field("expiredate", license.expiry),
    field("real_expiredate", license.expiry),
    field("period", license.period),
    field("autoprolong", license.autoprolong ?? "null"),
    field("comment", license.comment),
    field("remoteid", license.remoteid),
    ...Object.keys(product.addons).flatMap((code) => [
      field(`addon_${code}`, license.addons[code] ?? 0),
      field(`addon_${code}_current_value`, license.addons[code] ?? 0),
    ]),
  ];
  return [
    ...fields.filter(({ name }) => !formHides.some((hiddenField) => hiddenFields[hiddenField].test(name))),
    periods("autoprolong", product),
    ...formMetadata(["name", "licname", "comment", "remoteid", "autoprolong"]),
  ];
}

export function orderForm(product: Product): Element[] {
  return [
    field("pricelist", product.pricelist),
    field("period", product.periods[0] ?? ""),
    field("autoprolong", "null"),
    field("comment", ""),
    ...Object.keys(product.addons).map((code) => field(`addon_${code}`, 0)),
    periods("period", product),
    ...formMetadata(["pricelist", "period", "comment"]),
  ];
}

/** The form of service.prolong without sok, which is a quote. */
export function prolongForm(license: License, product: Product, quote: { period: number; expiry: string }): Element[] {
  return [
    field("elid", license.id),
    field("title_name", nameOf(license, product)),
    field("expiredate", license.expiry),
    field("newexpiredate", quote.expiry),
    field("period", quote.period),
    field("status", license.status),
    field("suspendpenaltywarn", ""),
    field("cost", costOf(product, quote.period, license.addons).toFixed(2)),
    periods("period", product),
    ...formMetadata(["title_name", "expiredate", "newexpiredate", "period"]),
  ];
}

export function filterForm(names: readonly string[], filter: Record<string, string>): Element[] {
  return [...names.map((name) => field(name, filter[name] ?? "")), ...formMetadata(names)];
}

function periods(name: string, product: Product): Element {
  const options = product.periods.map((period) => field("val", periodName(period), { key: String(period) }));
  return element("slist", { name }, options);
}

function formMetadata(names: readonly string[]): Element[] {
  const fields = names.map((name) =>
    element("field", { name }, [element("input", { type: "text", name, value: name }, [])]),
  );
  return [
    element("metadata", { type: "form" }, [element("form", { title: "title" }, fields)]),
    element(
      "messages",
      {},
      names.map((name) => field("msg", name, { name })),
    ),
  ];
}

const statusNames: Record<string, string> = {
  1: "Ordered",
  2: "Active",
  3: "Stopped",
  4: "Deleted",
  5: "Processing",
  [AUTOSUSPENDED]: "Stopped for non-payment",
  [SUSPENDED_BY_REQUEST]: "Stopped by request",
};

/** Clients were seen to read the status in each of these places. */
function statusFields(license: License, { statusForm }: Settings, ...more: Element[]): Element[] {
  switch (statusForm) {
    case "all":
      return [field("status", license.status), ...more, itemStatus(license)];
    case "attribute":
      return [itemStatus(license)];
    case "text":
      return [field("item_status", license.status)];
    case "real":
      return [field("item_real_status", license.status)];
  }
}

/** The text is for people and depends on `lang`. Programs can rely on `orig`. */
function itemStatus({ status, substatus }: License): Element {
  const text = statusNames[substatus] ?? statusNames[status] ?? "";
  return field("item_status", text, { color: status === ACTIVE ? "green" : "gray", orig: substatus });
}

function nameOf(license: License, product: Product): string {
  return `${product.name} #${license.id}`;
}

function periodName(period: number): string {
  if (period === TRIAL) return "Trial";
  if (period === 1) return "Month";
  if (period === 12) return "Year";
  return `${period} months`;
}
