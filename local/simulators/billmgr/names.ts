import { type Family, families } from "./products.ts";

/** The operations that a call can request. */
export const operations = [
  "order",
  "prolong",
  "edit",
  "suspend",
  "resume",
  "delete",
  "list",
  "filter",
  "read",
  "quote",
  "form",
  "balance",
] as const;
export type Operation = (typeof operations)[number] | "other";

const familyFunctions = ["order.param", "edit", "suspend", "resume", "delete", "filter"];

export const functionNames: readonly string[] = [
  ...families.flatMap((family) => [family, ...familyFunctions.map((name) => `${family}.${name}`)]),
  "service.prolong",
  "subaccount",
  "whoami",
];

/** `sok=ok` commits; the same function without it shows a form (docs: billmanager-api). */
export function operationOf({ func, params }: { func: string; params: Record<string, string> }): Operation {
  if (!functionNames.includes(func)) return "other";
  if (func === "subaccount" || func === "whoami") return "balance";
  const submitted = params.sok === "ok";
  if (func === "service.prolong") return submitted ? "prolong" : "quote";
  const { action } = split(func);
  if (action === "") return "list";
  if (action === "order.param") return submitted && params.clicked_button === "finish" ? "order" : "form";
  if (action === "edit") return submitted ? "edit" : "read";
  return action as Operation;
}

/** The operations of a function, with and without submitting. */
export const operationsOf = (func: string): Operation[] =>
  [{}, { sok: "ok", clicked_button: "finish" }].map((params) => operationOf({ func, params }));

export function split(func: string): { family: Family; action: string } {
  const [family = "", ...action] = func.split(".");
  return { family: family as Family, action: action.join(".") };
}

/** Fields of the filter form (observed). Those without a test in lists.ts are stored but match everything. */
export const filterFields = [
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

export type Params = Record<string, string>;

/** "One or more object's unique identifiers comma-delimited with space" (docs: ispsystem-modules-addition). */
export function idsOf(params: Params): string[] {
  return (params.elid ?? "")
    .split(",")
    .map((id) => id.trim())
    .filter((id) => id !== "");
}
