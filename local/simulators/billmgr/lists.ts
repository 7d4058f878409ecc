/** The functions `<family>` and `<family>.filter`: paged lists, and the filter that billmgr keeps until it is reset. */

import { type Account, productOf } from "./account.ts";
import { type Element, ok, Refusal } from "./documents.ts";
import { DELETED, type License } from "./license.ts";
import { filterFields } from "./names.ts";
import type { Family } from "./products.ts";
import type { SandboxState } from "./state.ts";
import { filterForm, listDocument, listRow, type Paging } from "./views.ts";

const filterTests: Record<string, (license: License) => string | number> = {
  id: (license) => license.id,
  ip: (license) => license.ip,
  pricelist: (license) => license.pricelist,
  period: (license) => license.period,
  status: (license) => license.status,
  service_status: (license) => license.status,
};

export function list({ state, settings }: Account, family: Family, params: Record<string, string>): Element[] {
  const { size, page } = pagingOf(params);
  if (page === 1) delete state.shifts[family];
  const licenses = state.licenses
    .filter((license) => license.family === family)
    .filter((license) => license.status !== DELETED || settings.deletedLinger)
    .filter((license) => passes(license, state.filters[family] ?? {}))
    .sort(order(params.p_col ?? ""));
  const rows = shifted(licenses, state.shifts[family] ?? 0).map((license) =>
    listRow(license, productOf(license), settings),
  );
  return listDocument(rows, { size: Math.min(size, settings.largestPage), page });
}

/** Removes the first rows and adds as many others at the end. The total stays, but rows move to earlier pages. */
function shifted(licenses: readonly License[], by: number): License[] {
  const others = licenses
    .slice(0, by)
    .map((license, i) => ({ ...license, id: String(900_000_001 + i), remoteid: "", comment: "" }));
  return [...licenses.slice(by), ...others];
}

/** A stored filter shortens every later list, and the lists do not show it (observed). */
export function filter({ state, settings }: Account, family: Family, params: Record<string, string>): Element[] {
  const inForce = state.filters[family] ?? {};
  if (params.sok !== "ok") return filterForm(filterFields, inForce);
  const { filterSubmit } = settings;
  if (filterSubmit === "refused") throw new Refusal("access", `${family}.filter`, "Insufficient privileges");
  if (filterSubmit === "ignored") return [ok()];
  if (filterSubmit === "without_out" && params.out !== undefined) return filterForm(filterFields, params);
  setFilter(state, family, params);
  return [ok()];
}

/** It is unknown whether an omitted field keeps its filter. Here it does, which is harder for the caller. */
export function setFilter({ filters }: SandboxState, family: Family, sent: Record<string, string>): void {
  const known = Object.entries({ ...filters[family], ...sent }).filter(([name]) => filterFields.includes(name));
  filters[family] = Object.fromEntries(known.filter(([, value]) => value !== ""));
}

/** Simulates that during the read of a list one row is removed and another is added at the end. */
export function shiftList({ shifts }: SandboxState, family: Family): void {
  shifts[family] = (shifts[family] ?? 0) + 1;
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
