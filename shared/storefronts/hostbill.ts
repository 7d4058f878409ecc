import * as z from "zod/mini";
import type { Event } from "../licensing/event.ts";
import { dayOf, type Instant, instantPlus, instantPlusMonths, toInstant } from "../licensing/time.ts";
import { parseForm, parseJson } from "./bodies.ts";
import { id, problemIn, time } from "./fields.ts";
import { changesNothing, ignored, unparseable } from "./parse-results.ts";
import { isSigned, noneMatches, secondsIn, stale, tooShort } from "./signatures.ts";
import type { ParsedEvent, Storefront } from "./storefront.ts";

/**
 * HostBill's WebHooks plugin (hostbill.atlassian.net/wiki/spaces/DOCS/pages/259784705). The body is the argument of
 * HostBill's own hook (hooks.hostbillapp.com), and a header contains the event's name.
 */
export const hostbill: Storefront = {
  name: "hostbill",
  headers: ["hb-event", "hb-timestamp"],

  secretProblem: (secret) => tooShort(secret),

  /** HMAC-SHA256 of time and body, without a separator, in hex. The event's name is not signed. */
  verify({ headers, body }, secrets, isFresh) {
    const { "hb-signature": signature, "hb-timestamp": timestamp } = headers;
    const seconds = secondsIn(timestamp);
    if (!signature || seconds === undefined) return "needs the headers HB-Signature, HB-Timestamp";
    if (!isFresh(seconds)) return stale(seconds);
    return isSigned(secrets, [timestamp ?? "", body], [signature], "hex") ? undefined : noneMatches(secrets);
  },

  /** JSON or a form: the webhook's setting "Request Content type". */
  parse(text) {
    const json = parseJson(text);
    return json === undefined ? parseForm(text) : json;
  },

  events(body, headers) {
    const { "hb-event": type, "hb-timestamp": timestamp } = headers;
    const seconds = secondsIn(timestamp);
    if (!type || seconds === undefined) {
      return [unparseable({ id: "", type: "no type" }, "the headers HB-Event and HB-Timestamp are missing")];
    }
    return read(body, { id: "", type: type.slice(0, 60), occurredAt: toInstant(seconds * 1000) });
  },
};

/** The field names differ between hooks. */
const details = z.object({ id, product_id: z.nullish(id), client_id: z.nullish(id) });
const account = z.object({
  account_id: z.nullish(id),
  acc_id: z.nullish(id),
  product_id: z.nullish(id),
  account: z.nullish(details),
  service: z.nullish(details),
  product: z.nullish(z.object({ id })),
  type: z.nullish(z.string()),
});

/** A form has no lists, only fields named 0, 1, … */
const list = z.pipe(
  z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]),
  z.transform((value) => Object.values(value)),
);
const invoice = z.object({ id, client_id: z.nullish(id), items: list });
const line = z.object({ item_id: id, description: z.string() });
const refund = z.object({ invoice_id: z.nullish(id), client_id: z.nullish(id) });

type Head = { id: string; type: string; occurredAt: Instant };

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
      // The argument of some hooks is only the account's id.
      const part = typeof body === "object" ? body : { account_id: body };
      const parsed = z.safeParse(account, part);
      return [parsed.success ? changed(parsed.data, head) : unparseable(head, problemIn(account, parsed.error, part))];
    }
    case "after_refund":
      return [refunded(body, head)];
    case "after_accountformsupgrade":
    case "after_addoncreate":
    case "after_addonsuspend":
    case "after_addonterminate":
      return [unparseable(head, "it contains a part of the account's items, without a name that a plan could list")];
    default:
      return [changesNothing(head)];
  }
}

/** HostBill documents no field that says whether the full invoice was refunded. */
function refunded(body: unknown, head: Head): ParsedEvent {
  const { invoice_id, client_id } = z.safeParse(refund, body).data ?? {};
  const invoice = invoice_id ? `invoice ${invoice_id}` : "an invoice";
  const buyer = client_id ? ` of customer ${client_id}` : "";
  const reason = `${invoice}${buyer} was refunded, in full or in part: to suspend its license, suspend the account in HostBill`;
  return unparseable(head, reason);
}

/** HostBill gives its events no id, and their bodies do not differ: the body of each suspension is the account's id. */
const idOf = ({ type, occurredAt }: Head, of: string): string => `${type} ${occurredAt} ${of}`;

function changed(sent: z.output<typeof account>, head: Head): ParsedEvent {
  const service = sent.service ?? sent.account;
  const subscription = sent.account_id ?? sent.acc_id ?? service?.id;
  if (!subscription) return unparseable(head, "account_id: missing");
  const about = { subscription };
  const customer = service?.client_id ? { customer: { id: service.client_id } } : {};
  const fact = { id: idOf(head, subscription), occurredAt: head.occurredAt, ...customer };
  const facts = (...events: Event[]): ParsedEvent => ({
    ...head,
    id: fact.id,
    kind: "facts",
    about,
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
      return sent.type === "Immediate"
        ? ignored(head, "a request to end immediately: HostBill sends the termination itself", about)
        : facts({ ...fact, type: "subscription.cancel_scheduled" });
    default: {
      const product = sent.product?.id ?? service?.product_id ?? sent.product_id;
      if (!product) return unparseable(head, "product_id: missing", about);
      const items = { asOf: head.occurredAt, list: [{ names: [product] }] };
      const made: Event[] =
        head.type === "after_accountcreate" ? [{ ...fact, type: "subscription.cancel_withdrawn" }] : [];
      return facts({ ...fact, items, type: "subscription.changed" }, ...made);
    }
  }
}

/** One invoice can be for many accounts, and contain several lines of one. */
function paid({ id: payment, client_id, items }: z.output<typeof invoice>, head: Head): ParsedEvent[] {
  const hosting = z.safeParse(z.array(line), items.filter(isHosting));
  if (!hosting.success) return [unparseable(head, "an item of type Hosting without item_id or description")];
  const accounts = [...Map.groupBy(hosting.data, ({ item_id }) => item_id)];
  if (accounts.length === 0) return [ignored(head, "an invoice of no account")];
  return accounts.map(([account, lines]): ParsedEvent => {
    const about = { subscription: account };
    const periods = lines.flatMap(({ description }) => periodIn(description) ?? []);
    if (periods.length < lines.length) {
      const reason =
        "an item's description contains no unambiguous period of up to 36 months: set the date format to YYYY-MM-DD";
      return unparseable(head, reason, about);
    }
    const fact = {
      id: idOf(head, payment),
      occurredAt: head.occurredAt,
      ...(client_id && { customer: { id: client_id } }),
    };
    const events = joined(periods).map(
      (covers, i): Event => ({
        ...fact,
        type: "payment.succeeded",
        payment: i === 0 ? payment : `${payment} from ${dayOf(covers.from)}`,
        covers,
        trial: false,
      }),
    );
    return { ...head, id: fact.id, kind: "facts", about, events };
  });
}

const isHosting = (item: unknown): boolean => z.safeParse(z.object({ type: z.literal("Hosting") }), item).success;

type Period = { from: Instant; through: Instant };

/** Periods that follow each other, as one. An unpaid month between two paid ones stays unpaid. */
function joined(periods: readonly Period[]): Period[] {
  const spans: Period[] = [];
  for (const { from, through } of [...periods].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    const last = spans.at(-1);
    if (!last || from > instantPlus(last.through, { days: 1 })) spans.push({ from, through });
    else if (through > last.through) last.through = through;
  }
  return spans;
}

const dayMs = 86_400_000;
const maxMonths = 36;

/**
 * Only the line's text contains the period, as "(09/12/2011 - 09/01/2012)" in api.hostbillapp.com/invoices, in the date
 * format that HostBill is set to. If day and month could be swapped, the interpretation with whole months counts.
 */
function periodIn(description: string): Period | undefined {
  const [, first = "", last = ""] = [...description.matchAll(/\((\d[\d./-]+) - (\d[\d./-]+)\)/g)].at(-1) ?? [];
  const found = [readYmd, readDmy, readMdy].flatMap((readDay) => {
    const [from, to] = [readDay(first), readDay(last)];
    if (!from || !to || from >= to) return [];
    const end = endOfWholeMonths(from, to);
    // The last day is the next period's first, or the day before it.
    if (end) return [{ from, through: end > to ? end : to }];
    return readDay === readYmd && to <= instantPlusMonths(from, maxMonths) ? [{ from, through: to }] : [];
  });
  const [period, ...others] = found;
  return others.every(({ through }) => through === period?.through) ? period : undefined;
}

/** The end of the months that the period is, give or take three days at a month's end. */
function endOfWholeMonths(from: Instant, to: Instant): Instant | undefined {
  const nearest = Math.round((Date.parse(to) - Date.parse(from)) / (30.4375 * dayMs));
  const end = instantPlusMonths(from, nearest);
  const isNear = Math.abs(Date.parse(end) - Date.parse(to)) <= 3 * dayMs;
  return nearest >= 1 && nearest <= maxMonths && isNear ? end : undefined;
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
