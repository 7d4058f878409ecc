import * as z from "zod/mini";
import { checked } from "./checks.ts";
import { functionNames, operations } from "./names.ts";

const seconds = z.number().check(z.nonnegative());
const called = z.enum([...operations, ...functionNames]);

const settingsSchema = z.strictObject({
  balance: z.number(),
  currency: z.string(),
  /** How long a license stays at status 5 after an order or a prolong, by the sandbox's clock. */
  processingSeconds: seconds,
  /** How long after an order the license's key is made, if that is later than that. */
  keySeconds: seconds,
  /** Licenses stay at status 5 while this is set. */
  stuckProcessing: z.boolean(),
  /** An edit, a suspension, a resumption and a deletion, too, take the license through status 5. */
  changeProcessing: z.boolean(),
  /** A license is not deleted earlier. */
  minimumTermDays: seconds,
  /** The reply to platform.order.param is not documented; these shapes are seen on its sister functions, except that
   * "order_number", an id that is no license's, is only feared. */
  orderReply: z.enum(["id", "item.id", "order_number", "foreign_id", "none"]),
  /** What skipbasket=on does when the balance does not suffice is not documented. */
  fundsReply: z.enum(["error", "basket", "cart_list", "unpaid", "unpaid_id"]),
  /** The true type of that error is unknown. */
  fundsError: z.strictObject({ type: z.string(), object: z.string() }),
  /** Where lists and forms show the status: everywhere, in one attribute, as a bare number, or as the real status. */
  statusForm: z.enum(["all", "attribute", "text", "real"]),
  /** Whether a prolong starts a license again that was stopped at its expiry is not documented. */
  prolongStarts: z.boolean(),
  /** Nor is whether a license that was stopped at its expiry can be suspended. */
  suspendsStopped: z.boolean(),
  listShowsRemoteid: z.boolean(),
  listShowsComment: z.boolean(),
  /** The largest page that a list comes in, whatever is asked for. */
  largestPage: z.int().check(z.gte(1)),
  /** What the form of a license leaves out. */
  formHides: z.array(z.enum(["status", "expiry", "addons", "remoteid", "comment"])),
  /** Deleted licenses stay in lists, at status 4. */
  deletedLinger: z.boolean(),
  /** A deleted license with the same reference stands beside each one that is ordered (observed). */
  deletedTwins: z.boolean(),
  /** When the filter of a list is set and reset: observed is that with `out` it is only shown, as a form. */
  filterSubmit: z.enum(["always", "without_out", "ignored", "refused"]),
  /** Functions, or operations such as "list", that this billmgr does not have. */
  missing: z.array(called),
  /** Those that the account may not use. */
  denied: z.array(called),
});

export type Settings = z.output<typeof settingsSchema>;

export const someSettings = z.partial(settingsSchema);

export const defaults: Settings = {
  balance: 100_000,
  currency: "EUR",
  processingSeconds: 1,
  keySeconds: 0,
  stuckProcessing: false,
  changeProcessing: false,
  minimumTermDays: 0,
  orderReply: "id",
  fundsReply: "error",
  fundsError: { type: "money", object: "balance" },
  statusForm: "all",
  prolongStarts: true,
  suspendsStopped: true,
  listShowsRemoteid: true,
  listShowsComment: true,
  largestPage: 1000,
  formHides: [],
  deletedLinger: true,
  deletedTwins: false,
  filterSubmit: "always",
  missing: [],
  denied: [],
};

export function checkSettings(value: unknown): Partial<Settings> {
  return checked(someSettings, value, "settings") as Partial<Settings>;
}
