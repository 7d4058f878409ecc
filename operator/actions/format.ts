import type { Halt } from "../../shared/aws/control.ts";
import { type Catalog, lookUp } from "../../shared/licensing/catalog.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import type { Event, Item } from "../../shared/licensing/event.ts";
import { describe, type Operation } from "../../shared/licensing/operation.ts";
import type { Repaired } from "../../shared/licensing/repair.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import type { Day } from "../../shared/licensing/time.ts";
import type { Replayed } from "./events.ts";
import type { resume } from "./halt.ts";
import type { Resolution } from "./repair.ts";
import type { History } from "./show.ts";

export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? "" : "s"}`;

/** "2026-11-23 08:00:01": UTC, as everything here. */
export const moment = (instant: string): string => instant.slice(0, 19).replace("T", " ");

export const parameters = (params: Record<string, string>): string =>
  Object.entries(params)
    .filter(([name]) => name !== "out" && name !== "lang")
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

export const customerOf = ({ customerId, email }: Subscription): string[] => [
  ...(customerId ? [`customer ${customerId.value}`] : []),
  ...(email ? [email.value] : []),
];

const itemsOf = (items: readonly Item[]): string =>
  items.map(({ names, quantity }) => `${quantity ?? 1} × ${names[0]}`).join(", ");

/** By the catalog's names, and the storefront's own beside them where those are others. */
export function soldOf({ storefront, items }: Subscription, catalog: Catalog): string {
  if (!items) return "not told";
  const sold = items.value.map((item) => {
    const found = lookUp(catalog, storefront, item);
    const name = typeof found === "object" ? Object.values(found)[0] : undefined;
    const own = item.names[0] ?? "";
    const shown =
      name === undefined ? `${own} (${found ?? "not in the catalog"})` : name === own ? name : `${name} (${own})`;
    return `${item.quantity ?? 1} × ${shown}`;
  });
  return sold.join(", ");
}

export function entitlementOf({ through, ended, withheld, setToEnd, until }: History["entitled"]): string {
  if (ended) return `ended ${moment(ended)}`;
  const paid = through ? `paid through ${moment(through)}` : "nothing is paid";
  const more = withheld ? `, withheld: ${withheld.replace("_", " ")}` : "";
  return `${paid}${setToEnd && until ? `, set to end ${moment(until)}` : ""}${more}`;
}

export function licenseOf({ generation, plan, license }: Subscription["slots"][number], today: Day): string {
  if (!license) return `none, of ${plan}${generation > 1 ? ` (generation ${generation})` : ""}`;
  const { elid, expiry, suspended, trial, addons } = license;
  const shown = Object.entries(addons).map(([code, value]) => `addon ${code} = ${value}`);
  const states = [
    trial ? "trial" : "",
    suspended
      ? "suspended"
      : expiry === undefined
        ? "not seen active yet"
        : expiry <= today
          ? "ended at billmgr"
          : "active",
    expiry === undefined ? "expiry not read" : expiry <= today && !suspended ? `on ${expiry}` : `until ${expiry}`,
  ];
  return [elid, plan, ...states.filter(Boolean), ...shown].join(", ");
}

export function sayDecision(decision: Decision): string {
  switch (decision.kind) {
    case "observe":
      return "find out by reading what the open operation did";
    case "change":
      return `${describe(decision.change)}, because ${decision.why}`;
    case "wait":
      return `wait until ${moment(decision.until)}: ${decision.why}`;
    case "settled":
      return decision.until === undefined ? "nothing" : `nothing before ${moment(decision.until)}`;
  }
}

export function sayEvent(event: Event): string {
  const payment = "payment" in event && event.payment ? ` ${event.payment}` : "";
  const covers = event.type === "payment.succeeded" ? ` ${sayCovers(event.covers)}` : "";
  const items = event.items && itemsOf(event.items.list);
  return `${event.type}${payment}${covers}${items ? `: ${items}` : ""}`;
}

function sayCovers(covers: (Event & { type: "payment.succeeded" })["covers"]): string {
  if ("through" in covers) return `through ${moment(covers.through)}`;
  if ("months" in covers) return `for ${covers.months} months`;
  if ("periodFrom" in covers) return `for the period from ${moment(covers.periodFrom)}`;
  return `for ${covers.intervals} intervals`;
}

/** What a person has to agree to before it is resolved so. */
export function meaning(name: string, resolution: Resolution, operation: Operation | undefined): string {
  const what = operation ? `operation ${operation.n}, ${describe(operation.change)}` : "no operation is open";
  switch (resolution.as) {
    case "adopt":
      return `License ${resolution.elid} becomes the one of ${name} (${what}): it is renewed, suspended and deleted as its customer pays.`;
    case "never-bought":
      return `What ${name} waits for (${what}) was never bought, and is bought as soon as it is wanted. If you are wrong it is bought twice.`;
    case "done":
      return `The open operation of ${name} (${what}) counts as done.`;
    case "gone":
      return `License ${resolution.elid} of ${name} is gone. If it is entitled, a new one is ordered.`;
  }
}

/** The same of what is no resolution. */
export const meaningOf = {
  event: (name: string, id?: string) => (id === undefined ? `event ${name}` : `event ${id} of ${name}`),
  replay: (name: string, id?: string) =>
    `The ${meaningOf.event(name, id)} is read again, and what it says then is done.`,
  dismiss: (name: string) => `Nobody is asked about the event ${name} any more, and what it says is not done.`,
  halt: "Nothing is bought, renewed, suspended or resumed for anybody until you resume.",
};

/** That it goes on, what the repair ended, and what is open after it. */
export function sayRepaired(name: string, { subscription: { operation }, finished }: Repaired): string[] {
  const open = operation && operation.state !== "finished" && operation.due !== undefined;
  return [
    `${name} is woken`,
    ...finished.map(({ n, change, outcome }) => `operation ${n}, ${describe(change)}: ${outcome}`),
    ...(open
      ? [
          `operation ${operation.n}, ${describe(operation.change)}, is ${operation.state}: looked at ${moment(operation.due ?? "")}`,
        ]
      : []),
  ];
}

export const sayReplayed = (what: string, replayed: Replayed): string =>
  "unparseable" in replayed
    ? `the ${what} is still not understood: ${replayed.unparseable}`
    : `the ${what} is ${replayed.understood}: ${replayed.why}`;

export const sayDismissed = (name: string): string => `${meaningOf.event(name)} is off the list`;

export const sayHalted = ({ since, reason }: Halt): string => `all calls are halted since ${moment(since)}: ${reason}`;

export const sayResumed = ({ lifted, woken }: Awaited<ReturnType<typeof resume>>): string =>
  lifted
    ? `the halt of ${moment(lifted.since)} (${lifted.reason}) is lifted; ${count(woken, "subscription")} woken`
    : "there is no halt";

/** JSON with line breaks; what is none as it is. */
export function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
