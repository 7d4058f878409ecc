import * as z from "zod/mini";
import { suggest } from "../../../shared/problems.ts";
import { checked, Invalid } from "./checks.ts";
import { filterFields, functionNames, idsOf, type Operation, operations, operationsOf, type Params } from "./names.ts";
import { type HttpStatus, httpStatuses } from "./pages.ts";
import { type Settings, someSettings } from "./settings.ts";

const flag = z.optional(z.boolean());
const seconds = z.optional(z.number().check(z.nonnegative()));
const text = z.string();

/** `only`: it makes sense for these operations alone. `when`: and for these calls. */
type Kind = {
  about: string;
  only?: readonly Operation[];
  when?: (params: Params) => boolean;
  fields?: Record<string, z.core.$ZodType>;
};

const kinds = {
  act_then_drop: { about: "Does what was asked, then drops the connection without an answer." },
  drop_before_acting: { about: "Drops the connection and does nothing." },
  hang: { about: "Does nothing and never answers." },
  hang_then_act: {
    about: 'Never answers; acts "seconds" (5) later, even if the caller has given up.',
    fields: { seconds },
  },
  slow: { about: 'Acts, and answers "seconds" (5) later.', fields: { seconds } },
  long_request: {
    about:
      'Acts, if "seconds" are given so much later; answers "Request in process, please wait" in HTML, with a link.',
    fields: { seconds },
  },
  html: { about: 'Answers an HTML error page with status 200; acts only with "act": true.', fields: { act: flag } },
  captcha: { about: "Answers an HTML page with a CAPTCHA and status 200; does not act." },
  http_status: {
    about: `Answers "status" (${httpStatuses.join(", ")}) as a front proxy does; acts only with "act": true.`,
    fields: { status: z.literal(httpStatuses), act: flag },
  },
  truncated: { about: "Acts; answers the first half of the XML." },
  malformed: { about: "Acts; answers XML that is not well-formed." },
  empty: { about: "Acts; answers an empty body." },
  error: {
    about: 'Answers an error document of "type" and "object"; acts only with "act": true.',
    fields: { type: text, object: z.optional(text), act: flag },
  },
  second_factor: { about: "Answers an <ok> that leads to the form of the second factor; does not act." },
  basket: { about: "Order, prolong: leaves it in the cart, unpaid.", only: ["order", "prolong"] },
  cart_list: {
    about: "Order, prolong: leaves it in the cart, unpaid; the reply leads to the cart's list.",
    only: ["order", "prolong"],
  },
  unpaid: { about: "Order: creates the license at status 1 and charges nothing.", only: ["order"] },
  unpaid_id: {
    about: "Order: as unpaid; the reply contains the id of an order to be paid next to the license's.",
    only: ["order"],
  },
  reply_without_id: { about: "Order: acts; the reply has only <ok/>.", only: ["order"] },
  reply_item_id: { about: "Order: acts; the reply names the license in <item.id>.", only: ["order"] },
  reply_order_number: {
    about: "Order: acts; the <id> of the reply is the order's, not the license's.",
    only: ["order"],
  },
  reply_foreign_id: { about: "Order: acts; the <id> of the reply is another license's.", only: ["order"] },
  deleted_twin: { about: "Order: acts; a deleted license with the same reference stands beside it.", only: ["order"] },
  stays_processing: {
    about: 'Acts; the license stays at status 5 for "seconds" (3600).',
    only: ["order", "prolong", "edit", "suspend", "resume", "delete"],
    fields: { seconds },
  },
  filter_set: {
    about: 'List: somebody has just set this "filter", such as {"status": "3"}, in the account.',
    only: ["list"],
    fields: { filter: z.partialRecord(z.enum(filterFields), text) },
  },
  list_shifts: {
    about: "List, from its second page on: a row of an earlier page has gone and another come at the end.",
    only: ["list"],
    when: ({ p_num }) => Number(p_num) > 1,
  },
  as_if: { about: 'Acts and answers as if these "settings" held.', fields: { settings: someSettings } },
} as const satisfies Record<string, Kind>;

export type FaultName = keyof typeof kinds;

export type FaultPlan = {
  /** A status, such as "503", is short for http_status with it. */
  fault: FaultName | `${HttpStatus}`;
  /** The name of a function, or an operation such as "order"; any call if absent. */
  func?: string;
  /** For how many calls, 1 if absent. */
  times?: number;
  /** Only for calls about this license. */
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

/** @throws Invalid with what was found and what was expected */
export function parseFault(value: unknown): Fault {
  const { fault: given, ...rest } = checked(named, value, "fault");
  const status = httpStatuses.find((known) => String(known) === String(given));
  const name = status ? "http_status" : names.find((known) => plain(known) === plain(String(given)));
  if (!name) throw new Invalid(`no such fault "${given}"${suggest(String(given), names)}`);
  const kind: Kind = kinds[name];
  const schema = z.strictObject({ ...common, ...kind.fields });
  const plan = checked(schema, { ...(status && { status }), ...rest }, name);
  checkFunction(name, kind, plan.func);
  return { ...plan, fault: name } as Fault;
}

/** The first planned fault that fits this call, used up once. */
export function takeFault(
  faults: Fault[],
  call: { func: string; operation: Operation; params: Params },
): Fault | undefined {
  const elids = idsOf(call.params);
  const index = faults.findIndex(({ fault, func, elid }) => {
    const { only, when }: Kind = kinds[fault];
    const called = func === undefined || func === call.func || func === call.operation;
    const fits = (!only || only.some((one) => one === call.operation)) && (!when || when(call.params));
    return called && fits && (elid === undefined || elids.includes(elid));
  });
  const fault = faults[index];
  if (fault && --fault.times === 0) faults.splice(index, 1);
  return fault;
}

export function describeFaults(): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, kinds[name].about]));
}

function checkFunction(name: FaultName, { only }: Kind, func: string | undefined): void {
  if (func === undefined) return;
  if (!functionNames.includes(func) && !operations.some((operation) => operation === func))
    throw new Invalid(`${name}: no such function "${func}"${suggest(func, [...operations, ...functionNames])}`);
  if (only && !only.some((one) => one === func || operationsOf(func).includes(one)))
    throw new Invalid(`${name}: "func" expected "${only.join('" or "')}" or nothing, found "${func}"`);
}

/** Names match whatever their case and separators: "actThenDrop" is act_then_drop. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
