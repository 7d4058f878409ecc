import * as z from "zod/mini";
import { suggest } from "../../../shared/problems.ts";
import { checked, Invalid } from "./checks.ts";
import { functionNames, type Operation, operations } from "./names.ts";
import { type HttpStatus, httpStatuses } from "./pages.ts";

const flag = z.optional(z.boolean());
const seconds = z.optional(z.number().check(z.nonnegative()));
const text = z.string();

/** `only`: it makes sense for this operation alone. */
type Kind = { about: string; only?: Operation; fields?: Record<string, z.core.$ZodType> };

const kinds = {
  act_then_drop: { about: "Does what was asked, then drops the connection without an answer." },
  drop_before_acting: { about: "Drops the connection and does nothing." },
  hang: { about: "Does nothing and never answers." },
  hang_then_act: {
    about: 'Never answers; acts "seconds" (5) later, even if the caller has given up.',
    fields: { seconds },
  },
  slow: { about: 'Acts, and answers "seconds" (5) later.', fields: { seconds } },
  long_request: { about: 'Acts; answers the HTML page "Request in process, please wait" with a link to poll.' },
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
  basket: { about: "Order: leaves it in the cart, unpaid, and creates no license.", only: "order" },
  unpaid: { about: "Order: creates the license at status 1 and charges nothing.", only: "order" },
  reply_without_id: { about: "Order: acts; the reply has only <ok/>.", only: "order" },
  reply_item_id: { about: "Order: acts; the reply names the license in <item.id>.", only: "order" },
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
  call: { func: string; operation: Operation; elids: readonly string[] },
): Fault | undefined {
  const index = faults.findIndex(({ fault, func, elid }) => {
    const kind: Kind = kinds[fault];
    const wanted = func === undefined || func === call.func || func === call.operation;
    return wanted && (elid === undefined || call.elids.includes(elid)) && (!kind.only || kind.only === call.operation);
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
  if (only && func !== only && !func.endsWith(`.${only}.param`))
    throw new Invalid(`${name}: "func" expected "${only}" or nothing, found "${func}"`);
}

/** Names match whatever their case and separators: "actThenDrop" is act_then_drop. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}
