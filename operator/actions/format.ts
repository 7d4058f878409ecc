/** Formats stored data, confirmations, and results as text. The commands and the console share it. */
import type { Halt } from "../../shared/aws/control.ts";
import type { EventStatus } from "../../shared/aws/table.ts";
import { type Catalog, lookUp } from "../../shared/licensing/catalog.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import type { Event, Item } from "../../shared/licensing/event.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import type { License, Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import type { Replayed } from "./events.ts";
import type { resume } from "./halt.ts";
import type { Resolution } from "./repair.ts";
import type { History } from "./show.ts";

export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? "" : "s"}`;

/** "2026-11-23 08:00:01", in UTC. */
export const moment = (instant: string): string => instant.slice(0, 19).replace("T", " ");

/** "gave up" for `gave_up`: states, outcomes, and verdicts as a person reads them. */
export const wordsOf = (code: string): string => code.replaceAll("_", " ");

export const formatParameters = (params: Record<string, string>): string =>
  Object.entries(params)
    .filter(([name]) => name !== "out" && name !== "lang")
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

export const customerOf = ({ customerId, email }: Subscription): string[] => [
  ...(customerId ? [`customer ${customerId.value}`] : []),
  ...(email ? [email.value] : []),
];

/** Names plans as the catalog does, and adds the storefront's own name where it differs. */
export function formatItems({ storefront, items }: Subscription, catalog: Catalog): string {
  if (!items) return "not known";
  const sold = items.value.map((item) => {
    const found = lookUp(catalog, storefront, item);
    const name = typeof found === "object" ? Object.values(found)[0] : undefined;
    const soldAs = item.names[0] ?? "";
    const shown =
      name === undefined
        ? `${soldAs} (${found ?? "not in the catalog"})`
        : name === soldAs
          ? name
          : `${name} (${soldAs})`;
    return `${item.quantity ?? 1} × ${shown}`;
  });
  return sold.join(", ");
}

/** The value of "paid until". */
export function formatEntitlement({ through, ended, withheld, setToEnd, until }: History["entitled"]): string {
  return [
    through ? moment(through) : "nothing paid",
    ended ? `ended on ${moment(ended)}` : "",
    !ended && setToEnd && until ? `set to end on ${moment(until)}` : "",
    !ended && withheld ? `suspension reason: ${wordsOf(withheld)}` : "",
  ]
    .filter(Boolean)
    .join(", ");
}

export function formatLicense(
  { generation, plan, license }: Subscription["slots"][number],
  today: Day,
  catalog: Catalog,
): string {
  if (!license) return `none, for plan ${plan}${generation > 1 ? ` (generation ${generation})` : ""}`;
  const { elid, trial, addons } = license;
  const state = [trial ? "trial" : "", formatState(license, today)].filter(Boolean);
  return [elid, plan, ...state, ...formatAddons(addons, plan, catalog)].join(", ");
}

function formatState({ expiry, suspended }: License, today: Day): string {
  if (expiry === undefined) return `${suspended ? "suspended" : "not confirmed active yet"}, expiry unknown`;
  if (suspended) return `suspended, valid until ${expiry}`;
  return expiry <= today ? `expired on ${expiry}` : `active until ${expiry}`;
}

/** Names addons as the catalog does. An addon that the catalog does not list keeps its code. */
export function formatAddons(addons: License["addons"], plan: string, { plans, products }: Catalog): string[] {
  const listed = Object.entries(products[plans[plan]?.product ?? ""]?.addons ?? {});
  const names = new Map(listed.map(([name, code]) => [String(code), name]));
  return Object.entries(addons).map(([code, value]) => `${names.get(code) ?? `addon ${code}`}: ${value}`);
}

export function formatDecision(decision: Decision): string {
  switch (decision.kind) {
    case "observe":
      return "read billmgr to find out what the open operation did";
    case "change":
      return `${describe(decision.change)}, because ${decision.why}`;
    case "wait":
      return `check again at ${moment(decision.until)}: ${decision.why}`;
    case "settled":
      return decision.until === undefined ? "nothing to do" : `nothing to do before ${moment(decision.until)}`;
  }
}

export const formatStatus = (status: EventStatus["status"]): string =>
  status === "unparseable" ? "not understood" : status;

export function formatEvent(event: Event): string {
  const payment = "payment" in event && event.payment ? ` ${event.payment}` : "";
  const covers = event.type === "payment.succeeded" ? ` ${formatPeriod(event.covers)}` : "";
  const items = event.items?.list.map(formatItem).join(", ");
  return `${event.type}${payment}${covers}${items ? `: ${items}` : ""}`;
}

const formatItem = ({ names, quantity }: Item): string => `${quantity ?? 1} × ${names[0]}`;

function formatPeriod(covers: (Event & { type: "payment.succeeded" })["covers"]): string {
  if ("through" in covers) return `through ${moment(covers.through)}`;
  if ("months" in covers) return `for ${count(covers.months, "month")}`;
  if ("periodFrom" in covers) return `for the period from ${moment(covers.periodFrom)}`;
  return `for ${count(covers.intervals, "interval")}`;
}

/** The text that an operator confirms before a resolution. */
export function confirmResolution(name: string, resolution: Resolution, operation: Operation | undefined): string {
  const latest = operation ? `operation ${operation.n}, ${describe(operation.change)}` : "no operation is open";
  switch (resolution.as) {
    case "adopt":
      return `License ${resolution.elid} will be assigned to ${name} (${latest}). From then on it is renewed, suspended, and deleted as the customer pays.`;
    case "never-bought":
      return `The purchase for ${name} (${latest}) will be recorded as never made. If it is still paid for, it is bought again. If it did go through, you pay twice.`;
    case "done":
      return `The open operation of ${name} (${latest}) will be recorded as done.`;
    case "gone":
      return `License ${resolution.elid} of ${name} will be recorded as deleted. If the customer is still entitled to it, a new one is ordered.`;
  }
}

export const labelEvent = (name: string, id?: string): string =>
  id === undefined ? `event ${name}` : `event ${id} of ${name}`;

/** The texts that an operator confirms before the other actions. */
export const confirmReplay = (name: string, id?: string): string =>
  `The ${labelEvent(name, id)} will be read again by the current version, and the facts in it will be applied.`;
export const confirmDismissal = (name: string): string =>
  `The ${labelEvent(name)} will be taken off the attention list. Nothing in it will be applied.`;
export const confirmHalt =
  "No license will be ordered, renewed, suspended, or resumed for any customer until you resume. Webhooks are still accepted.";

/** That the subscription is processed again, which operations the repair finished, and which one is still open. */
export function reportRepair(name: string, { subscription: { operation }, finished }: Repaired): string[] {
  const open = operation && operation.state !== "finished" && operation.due !== undefined;
  return [
    `${name} is being processed again`,
    ...finished.map(({ n, change, outcome }) => `operation ${n}, ${describe(change)}: ${wordsOf(outcome ?? "done")}`),
    ...(open
      ? [
          `operation ${operation.n}, ${describe(operation.change)}, is ${operation.state}: next check at ${moment(operation.due ?? "")}`,
        ]
      : []),
  ];
}

export const reportReplay = (label: string, replayed: Replayed): string =>
  replayed.kind === "unparseable"
    ? `The ${label} is still not understood: ${replayed.reason}`
    : `The ${label} was ${replayed.as}: ${replayed.why}`;

export const reportDismissal = (name: string): string => `The ${labelEvent(name)} was dismissed.`;

export const reportHalt = ({ since, reason }: Halt): string =>
  `All calls have been halted since ${moment(since)}: ${reason}`;

export const reportResume = ({ lifted, woken }: Awaited<ReturnType<typeof resume>>): string =>
  lifted
    ? `The halt since ${moment(lifted.since)} (${lifted.reason}) is lifted. Subscriptions being processed again: ${woken}.`
    : "No halt is active.";

/** Pretty-prints JSON; other text is returned unchanged. */
export function prettyPrint(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
