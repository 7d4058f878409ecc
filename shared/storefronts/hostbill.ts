import * as z from "zod/mini";
import type { Event } from "../licensing/event.ts";
import { type Instant, instantPlusMonths, toInstant } from "../licensing/time.ts";
import { parseForm, parseJson } from "./bodies.ts";
import { id, problemIn, time } from "./fields.ts";
import { isSigned, noneMatches, secondsIn, stale, tooShort } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/**
 * HostBill's WebHooks plugin (hostbill.atlassian.net/wiki/spaces/DOCS/pages/259784705): the body is what HostBill hands to
 * its own hooks (hooks.hostbillapp.com), and the event's name stands in a header.
 */
export const hostbill: Storefront = {
  name: "hostbill",
  headers: ["hb-event", "hb-timestamp"],

  secretProblem: (secret) => tooShort(secret),

  /** HMAC-SHA256 of time and body, with nothing between them, in hex. The event's name is not signed. */
  verify({ headers, body }, secrets, isFresh) {
    const { "hb-signature": signature, "hb-timestamp": timestamp } = headers;
    const seconds = secondsIn(timestamp);
    if (!signature || seconds === undefined) return "needs the headers HB-Signature, HB-Timestamp";
    if (!isFresh(seconds)) return stale(seconds);
    return isSigned(secrets, [timestamp ?? "", body], [signature], "hex") ? undefined : noneMatches(secrets);
  },

  /** As the webhook's "Request Content type" is set. */
  parse(text) {
    const json = parseJson(text);
    return json === undefined ? parseForm(text) : json;
  },

  events(body, headers) {
    const { "hb-event": type, "hb-timestamp": timestamp } = headers;
    const seconds = secondsIn(timestamp);
    if (type && seconds !== undefined)
      return read(body, { type: type.slice(0, 60), occurredAt: toInstant(seconds * 1000) });
    return [
      { id: "", type: "no type", kind: "unparseable", reason: "the headers HB-Event and HB-Timestamp are not there" },
    ];
  },
};

/** The names differ from hook to hook. */
const details = z.object({ id, product_id: z.nullish(id), client_id: z.nullish(id) });
const account = z.object({
  account_id: z.nullish(id),
  acc_id: z.nullish(id),
  account: z.nullish(details),
  service: z.nullish(details),
  product: z.nullish(z.object({ id })),
  type: z.nullish(z.string()),
});

/** A form has no lists, only fields of the names 0, 1, … */
const list = z.pipe(
  z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
  z.transform((value) => Object.values(value)),
);
const invoice = z.object({ id, client_id: z.nullish(id), items: list });
const line = z.object({ item_id: id, description: z.string() });

type Head = { type: string; occurredAt: Instant };

function read(body: unknown, head: Head): ParsedEvent[] {
  switch (head.type) {
    case "after_invoicefullpaid": {
      const parsed = z.safeParse(invoice, body);
      return parsed.success ? paid(parsed.data, head) : [unparseable(head, problemIn(invoice, parsed.error, body))];
    }
    case "after_accountcreate":
    case "after_accountchangepackage":
    case "after_accountsuspend":
    case "after_accountunsuspend":
    case "after_accountterminate":
    case "after_cancellationrequest": {
      // Some hooks are handed the account's id and nothing else.
      const told = typeof body === "object" ? body : { account_id: body };
      const parsed = z.safeParse(account, told);
      return [parsed.success ? changed(parsed.data, head) : unparseable(head, problemIn(account, parsed.error, told))];
    }
    case "after_refund":
      return [
        unparseable(head, "in full or in part? Suspend the account in HostBill where its license is to be suspended"),
      ];
    case "after_accountformsupgrade":
    case "after_addoncreate":
    case "after_addonsuspend":
    case "after_addonterminate":
      return [unparseable(head, "it tells a part of what the account holds, and under no name that could be found")];
    default:
      return [ignored(head, `"${head.type}" changes no license`)];
  }
}

const ignored = (head: Head, reason: string): ParsedEvent => ({ ...head, id: "", kind: "ignored", reason });
const unparseable = (head: Head, reason: string): ParsedEvent => ({ ...head, id: "", kind: "unparseable", reason });

/** HostBill gives its events no id. Their bodies do not tell them apart: of two suspensions both are the account's id. */
const idOf = ({ type, occurredAt }: Head, of: string): string => `${type} ${occurredAt} ${of}`;

function changed(told: z.output<typeof account>, head: Head): ParsedEvent {
  const held = told.service ?? told.account;
  const about = told.account_id ?? told.acc_id ?? held?.id;
  if (!about) return unparseable(head, "account_id: missing");
  const customer = held?.client_id ? { customer: { id: held.client_id } } : {};
  const fact = { id: idOf(head, about), occurredAt: head.occurredAt, ...customer };
  const facts = (...events: Event[]): ParsedEvent => ({
    ...head,
    id: fact.id,
    kind: "facts",
    about: { subscription: about },
    events,
  });
  switch (head.type) {
    case "after_accountsuspend":
      return facts({ ...fact, type: "subscription.paused" });
    case "after_accountunsuspend":
      return facts({ ...fact, type: "subscription.resumed" });
    case "after_accountterminate":
      return facts({ ...fact, type: "subscription.cancelled" });
    case "after_cancellationrequest":
      return told.type === "Immediate"
        ? ignored(head, "a request to end at once: the termination itself is told apart")
        : facts({ ...fact, type: "subscription.cancel_scheduled" });
    default: {
      const product = told.product?.id ?? held?.product_id;
      if (!product) return unparseable(head, "product_id: missing");
      const items = { asOf: head.occurredAt, list: [{ names: [product] }] };
      const made: Event[] =
        head.type === "after_accountcreate" ? [{ ...fact, type: "subscription.cancel_withdrawn" }] : [];
      return facts({ ...fact, items, type: "subscription.changed" }, ...made);
    }
  }
}

/** One invoice can be for many accounts, and hold several lines of one. */
function paid({ id: payment, client_id, items }: z.output<typeof invoice>, head: Head): ParsedEvent[] {
  const hosting = z.safeParse(z.array(line), items.filter(isHosting));
  if (!hosting.success) return [unparseable(head, "an item of type Hosting without item_id or description")];
  const accounts = [...Map.groupBy(hosting.data, ({ item_id }) => item_id)];
  if (accounts.length === 0) return [ignored(head, "an invoice of no account")];
  return accounts.map(([about, lines]): ParsedEvent => {
    const periods = lines.flatMap(({ description }) => periodIn(description) ?? []);
    const from = periods.map((period) => period.from).sort()[0];
    const through = periods
      .map((period) => period.through)
      .sort()
      .at(-1);
    if (!from || !through || periods.length < lines.length) {
      return unparseable(
        head,
        "an item's description does not tell one period of whole months: set the date format to YYYY-MM-DD",
      );
    }
    const event: Event = {
      id: idOf(head, payment),
      occurredAt: head.occurredAt,
      ...(client_id && { customer: { id: client_id } }),
      type: "payment.succeeded",
      payment,
      covers: { from, through },
      trial: false,
    };
    return { ...head, id: event.id, kind: "facts", about: { subscription: about }, events: [event] };
  });
}

const isHosting = (item: unknown): boolean => z.safeParse(z.object({ type: z.literal("Hosting") }), item).success;

/**
 * The period stands in the line's text alone, as "(09/12/2011 - 09/01/2012)" in api.hostbillapp.com/invoices, in the date
 * format that HostBill is set to. Day and month are told apart by what makes whole months; a month's end may be off by days.
 */
function periodIn(description: string): { from: Instant; through: Instant } | undefined {
  const [, first = "", last = ""] = [...description.matchAll(/\((\d[\d./-]+) - (\d[\d./-]+)\)/g)].at(-1) ?? [];
  const found = [readYmd, readDmy, readMdy].flatMap((readDay) => {
    const [from, to] = [readDay(first), readDay(last)];
    if (!from || !to) return [];
    const ends = Array.from({ length: 36 }, (_, i) => instantPlusMonths(from, i + 1));
    const end = ends.find((one) => Math.abs(Date.parse(one) - Date.parse(to)) <= 3 * 86_400_000);
    // The last day is the next period's first, or the day before it.
    return end ? [{ from, through: end > to ? end : to }] : [];
  });
  const [period, ...others] = found;
  return others.every(({ through }) => through === period?.through) ? period : undefined;
}

const dayOfParts = (year = "", month = "", day = ""): Instant | undefined => {
  const parsed = z.safeParse(time, `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`);
  return parsed.success ? parsed.data : undefined;
};
const partsOf = (text: string): string[] => text.split(/[./-]/);
const readYmd = (text: string): Instant | undefined => dayOfParts(...partsOf(text));
const readDmy = (text: string): Instant | undefined => dayOfParts(...partsOf(text).reverse());
const readMdy = (text: string): Instant | undefined => {
  const [month, day, year] = partsOf(text);
  return dayOfParts(year, month, day);
};
