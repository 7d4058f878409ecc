/** `<family>` and `<family>.filter`: lists with paging, and the filter that billmgr keeps until it is reset. */

import { type Account, productOf } from "./account.ts";
import { type Element, ok } from "./documents.ts";
import { DELETED, type License } from "./license.ts";
import type { Family } from "./products.ts";
import { filterForm, listDocument, listRow, type Paging } from "./views.ts";

/** Fields of the filter form (observed). Those without a test below are kept but match everything. */
const filterFields = [
  "id",
  "ip",
  "domain",
  "pricelist",
  "period",
  "status",
  "service_status",
  "opendate",
  "expiredate",
  "orderdatefrom",
  "orderdateto",
  "cost_from",
  "cost_to",
  "autoprolong",
  "datacenter",
];

const filterTests: Record<string, (license: License) => string | number> = {
  id: (license) => license.id,
  ip: (license) => license.ip,
  pricelist: (license) => license.pricelist,
  period: (license) => license.period,
  status: (license) => license.status,
  service_status: (license) => license.status,
};

export function list({ state }: Account, family: Family, params: Record<string, string>): Element[] {
  const rows = state.licenses
    .filter((license) => license.family === family)
    .filter((license) => license.status !== DELETED || state.settings.deletedLinger)
    .filter((license) => passes(license, state.filters[family] ?? {}))
    .sort(order(params.p_col ?? ""))
    .map((license) => listRow(license, productOf(license), state.settings));
  return listDocument(rows, pagingOf(params));
}

/** The stored filter shortens every later list, and nothing in those lists says so (observed). */
export function filter({ state }: Account, family: Family, params: Record<string, string>): Element[] {
  if (params.sok !== "ok") return filterForm(filterFields, state.filters[family] ?? {});
  // Whether a field that is not sent keeps its filter is unknown: here it does, which is harder on the caller.
  const sent = filterFields.flatMap((name) => (name in params ? [[name, params[name] ?? ""] as const] : []));
  const stored = Object.entries({ ...state.filters[family], ...Object.fromEntries(sent) });
  state.filters[family] = Object.fromEntries(stored.filter(([, value]) => value !== ""));
  return [ok()];
}

export function pagingOf({ p_cnt, p_num }: Record<string, string>): Paging {
  return { size: positive(p_cnt, 50), page: positive(p_num, 1) };
}

function passes(license: License, wanted: Record<string, string>): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const test = filterTests[name];
    return !test || String(test(license)) === value;
  });
}

const columns = new Map<string, (license: License) => string>([
  ["time", (license) => license.createdAt],
  ["createdate", (license) => license.createdAt],
  ["expiredate", (license) => license.expiry],
  ["real_expiredate", (license) => license.expiry],
  ["pricelist", (license) => productOf(license).name],
]);

/** `p_col=+time` or `-time`. An unencoded plus arrives as a space. */
function order(column: string): (a: License, b: License) => number {
  const direction = column.startsWith("-") ? -1 : 1;
  const value = columns.get(column.replace(/^[-+ ]/, "")) ?? (() => "");
  return (a, b) => direction * (value(a).localeCompare(value(b)) || Number(a.id) - Number(b.id));
}

function positive(text: string | undefined, fallback: number): number {
  return text && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : fallback;
}
