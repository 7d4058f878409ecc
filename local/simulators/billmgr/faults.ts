import * as z from "zod/mini";
import { suggest } from "../../../shared/problems.ts";
import { checked, InvalidRequest } from "./checks.ts";
import { filterFields, functionNames, idsOf, type Operation, operations, operationsOf, type Params } from "./names.ts";
import { type HttpStatus, httpStatuses } from "./pages.ts";
import { type Settings, someSettings } from "./settings.ts";

const flag = z.optional(z.boolean());
const seconds = z.optional(z.number().check(z.nonnegative()));
const text = z.string();

/** `only`: the operations that the fault applies to. `when`: limits it to certain calls of those. */
type Kind = {
  description: string;
  only?: readonly Operation[];
  when?: (params: Params) => boolean;
  fields?: Record<string, z.core.$ZodType>;
};

const kinds = {
  act_then_drop: { description: "Performs the call, then drops the connection without an answer." },
  drop_before_acting: { description: "Drops the connection without acting." },
  hang: { description: "Never answers and does not act." },
  hang_then_act: {
    description: 'Never answers; acts after "seconds" (5), even if the caller has given up.',
    fields: { seconds },
  },
  slow: { description: 'Acts; answers after "seconds" (5).', fields: { seconds } },
  long_request: {
    description:
      'Acts, after "seconds" if given; answers with the HTML page "Request in process, please wait" and its link.',
    fields: { seconds },
  },
  html: {
    description: 'Answers with an HTML error page and status 200; acts only with "act": true.',
    fields: { act: flag },
  },
  captcha: { description: "Answers with a CAPTCHA in HTML and status 200; does not act." },
  http_status: {
    description: `Answers with "status" (${httpStatuses.join(", ")}) like a front proxy; acts only with "act": true.`,
    fields: { status: z.literal(httpStatuses), act: flag },
  },
  truncated: { description: "Acts; answers with the first half of the XML." },
  malformed: { description: "Acts; answers with XML that is not well-formed." },
  empty: { description: "Acts; answers with an empty body." },
  error: {
    description: 'Answers with an error document of "type" and "object"; acts only with "act": true.',
    fields: { type: text, object: z.optional(text), act: flag },
  },
  second_factor: { description: "Answers with an <ok> that leads to the second-factor form; does not act." },
  basket: { description: "Order, prolong: leaves it unpaid in the cart.", only: ["order", "prolong"] },
  cart_list: {
    description: "Order, prolong: leaves it unpaid in the cart; the reply leads to the cart's list.",
    only: ["order", "prolong"],
  },
  unpaid_id: {
    description: "Order: as unpaid; the reply also contains the id of an order that is not paid.",
    only: ["order"],
  },
  unpaid: { description: "Order: creates the license at status 1 and charges nothing.", only: ["order"] },
  reply_without_id: { description: "Order: acts; the reply contains only <ok/>.", only: ["order"] },
  reply_item_id: { description: "Order: acts; the reply contains the license id in <item.id>.", only: ["order"] },
  reply_order_number: {
    description: "Order: acts; the <id> in the reply is the order's, not the license's.",
    only: ["order"],
  },
  deleted_twin: {
    description: "Order: acts; also creates a deleted license with the same reference.",
    only: ["order"],
  },
  reply_foreign_id: {
    description: "Order: acts; the <id> in the reply is another license's.",
    only: ["order"],
  },
  stays_processing: {
    description: 'Acts; the license stays at status 5 for "seconds" (3600).',
    only: ["order", "prolong", "edit", "suspend", "resume", "delete"],
    fields: { seconds },
  },
  filter_set: {
    description: 'List: someone else has just set this "filter" in the account, such as {"status": "3"}.',
    only: ["list"],
    fields: { filter: z.partialRecord(z.enum(filterFields), text) },
  },
  list_shifts: {
    description: "List, from the second page on: a row of an earlier page was removed and another added at the end.",
    only: ["list"],
    when: ({ p_num }) => Number(p_num) > 1,
  },
  as_if: { description: 'Acts and answers with these "settings".', fields: { settings: someSettings } },
} as const satisfies Record<string, Kind>;

export type FaultName = keyof typeof kinds;

export type FaultPlan = {
  /** A status, such as "503", is short for http_status with that status. */
  fault: FaultName | `${HttpStatus}`;
  /** A function, or an operation such as "order". Without it, any call. */
  func?: string;
  /** The number of calls, by default 1. */
  times?: number;
  /** Limits the fault to calls about this license. */
  elid?: string;
  status?: HttpStatus;
  act?: boolean;
  type?: string;
  object?: string;
  seconds?: number;
  filter?: Record<string, string>;
  settings?: Partial<Settings>;
};

/** A checked plan. */
export type Fault = Omit<FaultPlan, "fault" | "times"> & { fault: FaultName; times: number };

const names = Object.keys(kinds) as FaultName[];
const named = z.looseObject({ fault: z.union([z.string(), z.number()]) });
const common = {
  func: z.optional(text),
  times: z._default(z.int().check(z.gte(1)), 1),
  elid: z.optional(z.pipe(z.union([text.check(z.regex(/^\d+$/)), z.int()]), z.transform(String))),
};

/** @throws InvalidRequest */
export function parseFault(value: unknown): Fault {
  const { fault: given, ...rest } = checked(named, value, "fault");
  const status = httpStatuses.find((known) => String(known) === String(given));
  const name = status ? "http_status" : names.find((known) => normalized(known) === normalized(String(given)));
  if (!name) throw new InvalidRequest(`"${given}" is not a fault${suggest(String(given), names)}`);
  const kind: Kind = kinds[name];
  const schema = z.strictObject({ ...common, ...kind.fields });
  const plan = checked(schema, { ...(status && { status }), ...rest }, name);
  checkFunction(name, kind, plan.func);
  return { ...plan, fault: name } as Fault;
}

/** Takes the first planned fault that applies to this call, and counts it down. */
export function takeFault(
  faults: Fault[],
  call: { func: string; operation: Operation; params: Params },
): Fault | undefined {
  const elids = idsOf(call.params);
  const index = faults.findIndex(({ fault, func, elid }) => {
    const { only, when }: Kind = kinds[fault];
    const isCalled = func === undefined || func === call.func || func === call.operation;
    const applies = (!only || only.some((one) => one === call.operation)) && (!when || when(call.params));
    return isCalled && applies && (elid === undefined || elids.includes(elid));
  });
  const fault = faults[index];
  if (fault && --fault.times === 0) faults.splice(index, 1);
  return fault;
}

export function describeFaults(): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, kinds[name].description]));
}

function checkFunction(name: FaultName, { only }: Kind, func: string | undefined): void {
  if (func === undefined) return;
  if (!functionNames.includes(func) && !operations.some((operation) => operation === func))
    throw new InvalidRequest(`${name}: "${func}" is not a function${suggest(func, [...operations, ...functionNames])}`);
  if (only && !only.some((one) => one === func || operationsOf(func).includes(one)))
    throw new InvalidRequest(`${name}: func is "${func}"; expected "${only.join('" or "')}" or nothing`);
}

/** Names match regardless of case and separators: "actThenDrop" is act_then_drop. */
function normalized(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
