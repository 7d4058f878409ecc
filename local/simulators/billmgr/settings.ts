import * as z from "zod/mini";
import { checked } from "./checks.ts";
import { functionNames, operations } from "./names.ts";

const seconds = z.number().check(z.nonnegative());
const called = z.enum([...operations, ...functionNames]);

const settingsSchema = z.strictObject({
  balance: z.number(),
  currency: z.string(),
  /** The time that a license stays at status 5 after an order or a prolong. */
  processingSeconds: seconds,
  /** The minimum time from an order to the license's key. */
  keySeconds: seconds,
  /** While set, licenses stay at status 5. */
  stuckProcessing: z.boolean(),
  /** Whether edit, suspend, resume, and delete take the license through status 5 too. */
  changeProcessing: z.boolean(),
  /** A younger license is not deleted. */
  minimumTermDays: seconds,
  /** The reply to platform.order.param is not documented. These shapes were observed on similar functions, except
   * "order_number", an id that is not a license's, which is only a fear. */
  orderReply: z.enum(["id", "item.id", "order_number", "foreign_id", "none"]),
  /** The effect of skipbasket=on with insufficient funds is not documented. */
  fundsReply: z.enum(["error", "basket", "cart_list", "unpaid", "unpaid_id"]),
  /** The real type of that error is unknown. */
  fundsError: z.strictObject({ type: z.string(), object: z.string() }),
  /** Where lists and forms show the status: everywhere, in one attribute, as a bare number, or as the real status. */
  statusForm: z.enum(["all", "attribute", "text", "real"]),
  /** Whether a prolong starts a license again that was stopped at its expiry is not documented. */
  prolongStarts: z.boolean(),
  /** Nor is whether a license that was stopped at its expiry can be suspended. */
  suspendsStopped: z.boolean(),
  listShowsRemoteid: z.boolean(),
  listShowsComment: z.boolean(),
  /** The maximum page size of a list. A request for more gets this. */
  largestPage: z.int().check(z.gte(1)),
  /** The fields that the form of a license omits. */
  formHides: z.array(z.enum(["status", "expiry", "addons", "remoteid", "comment"])),
  /** Deleted licenses stay in lists, at status 4. */
  deletedLinger: z.boolean(),
  /** Each order also creates a deleted license with the same reference (observed). */
  deletedTwins: z.boolean(),
  /** When a list's filter is applied. Observed: with `out`, billmgr only shows its form. */
  filterSubmit: z.enum(["always", "without_out", "ignored", "refused"]),
  /** Functions, or operations such as "list", that do not exist. */
  missing: z.array(called),
  /** Functions or operations that the account may not use. */
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
