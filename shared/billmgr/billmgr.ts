import { ReadError } from "../errors.ts";
import type { Balance, CallOutcome, ChangeKind } from "../licensing/operation.ts";
import type { Day } from "../licensing/time.ts";
import { dayIn, pageOf, type SeenLicense, seenLicense } from "./license.ts";
import { formatError, newExpiryOf, outcomeOf } from "./outcome.ts";
import { type Redact, redactor } from "./redact.ts";
import { attribute, child, children, type Element, readReply, textOf } from "./reply.ts";
import type { Post, PostResult } from "./transport.ts";

/** Each timeout must be shorter than the next: a call, a run of the function, the visibility of a queue message. */
export const callTimeoutMs = 60_000;
export const readTimeoutMs = 20_000;

export type Quote = { expiry?: Day; newExpiry?: Day; cost?: string };
/** `incomplete` contains why the list may lack a license. */
export type Listing = { rows: SeenLicense[]; incomplete?: string };

/** Stops all calls, for all subscriptions. */
export type CircuitBreaker = {
  /** Why all calls are stopped, or undefined. */
  tripReason(): Promise<string | undefined>;
  trip(why: string): Promise<void>;
};
const noBreaker: CircuitBreaker = { tripReason: async () => undefined, trip: async () => {} };

/** The client for billmgr's HTTP API. */
export type Billmgr = {
  /** Makes the one call of an operation. Never rejects: the outcome contains any failure. */
  call(kind: ChangeKind, request: Record<string, string>): Promise<CallOutcome>;
  /** One license, or undefined if billmgr does not know the id. @throws ReadError */
  license(family: string, elid: string): Promise<SeenLicense | undefined>;
  /** All licenses of a family, unfiltered, including deleted ones. @throws ReadError */
  licenses(family: string): Promise<Listing>;
  /** The new expiry and the cost of a prolong. Changes nothing. @throws ReadError */
  quote(elid: string, period: number): Promise<Quote>;
  /** The balance of the account. @throws ReadError */
  balance(): Promise<Balance>;
};

/** Reads any function of billmgr, unparsed. Probes use it to find out what an account shows. */
export type Reader = {
  /** The request must be one that changes nothing. @throws ReadError */
  read(request: Record<string, string>): Promise<Element>;
};

const pageSize = 250;
const maxPages = 400;

/**
 * @param authinfo returns "user:password". It is read again for each call, so a changed password needs no restart
 * @param options.breaker checked before each request, and tripped by the first `auth` error: billmgr locks accounts
 * @param options.fundsErrors words that mark an error as one about money
 */
export function createBillmgr(
  post: Post,
  authinfo: () => Promise<string>,
  { breaker = noBreaker, fundsErrors = [] }: { breaker?: CircuitBreaker; fundsErrors?: readonly string[] } = {},
): Billmgr & Reader {
  async function send(
    request: Record<string, string>,
    timeoutMs: number,
  ): Promise<{ sent: PostResult; redact: Redact }> {
    const stopped = (why: string) => ({ sent: { kind: "not_sent" as const, why }, redact: (text: string) => text });
    let secret: string;
    try {
      const halted = await breaker.tripReason();
      if (halted !== undefined) return stopped(`all calls are halted: ${halted}`);
      secret = await authinfo();
    } catch (error) {
      return stopped(`it cannot be called: ${error instanceof Error ? error.message : "no reason given"}`);
    }
    const sent = await post(new URLSearchParams({ authinfo: secret, ...request }), timeoutMs);
    // Most replies succeed, and contain nothing to redact.
    return { sent, redact: (text) => redactor(secret)(text) };
  }

  /** Never rejects, because the outcome of the call is not recorded yet. If it fails, the next call trips the breaker. */
  const trip = (why: string): Promise<void> => breaker.trip(why).catch(() => {});

  async function read(request: Record<string, string>): Promise<Element> {
    const { sent, redact } = await send({ out: "xml", lang: "en", ...request }, readTimeoutMs);
    const at = `reading ${request.func}: `;
    if (sent.kind !== "response") throw new ReadError(redact(at + sent.why));
    const reply = readReply(sent.status, sent.body);
    if (reply.kind === "unreadable") throw new ReadError(redact(at + reply.why));
    if (reply.kind === "error") {
      const response = redact(at + formatError(reply));
      if (reply.type === "auth") await trip(response);
      throw new ReadError(response, { type: reply.type });
    }
    return reply.doc;
  }

  /** billmgr stores an account's filter, even one from the client area, and silently applies it to every later list. */
  async function isUnfiltered(family: string): Promise<boolean> {
    const func = `${family}.filter`;
    const isEmpty = async () => {
      const form = await read({ func });
      // A form without any of the fields proves nothing.
      const shown = filterFields.filter((field) => child(form, field));
      return shown.length > 0 && shown.every((field) => neutral.has(textOf(form, field) ?? ""));
    };
    try {
      await read({ func, sok: "ok", ...noFilter });
      if (await isEmpty()) return true;
      // Observed: with `out`, billmgr can show the form without applying it. Without `out` it applies the form.
      await send({ func, lang: "en", sok: "ok", ...noFilter }, readTimeoutMs);
      return await isEmpty();
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return false;
    }
  }

  async function readPages(family: string): Promise<{ rows: Map<string, SeenLicense>; pages: number; whole: boolean }> {
    const rows = new Map<string, SeenLicense>();
    let total: number | undefined;
    for (let number = 1; number <= maxPages; number++) {
      const page = pageOf(await read({ func: family, p_cnt: String(pageSize), p_num: String(number) }));
      const before = rows.size;
      for (const row of page.rows) rows.set(row.elid, row);
      // Rows that are added or deleted between two pages shift the others from page to page.
      const shifted = number > 1 && page.total !== total;
      total = page.total;
      if (shifted || total === undefined || rows.size >= total || rows.size === before) {
        return { rows, pages: number, whole: !shifted && rows.size === total };
      }
    }
    return { rows, pages: maxPages, whole: false };
  }

  return {
    read,

    async call(kind, request) {
      const { sent, redact } = await send(request, callTimeoutMs);
      const outcome = outcomeOf(kind, sent, fundsErrors);
      const response = redact(outcome.response);
      if (outcome.outcome === "refused" && outcome.error.type === "auth") await trip(response);
      return { ...outcome, response };
    },

    async license(family, elid) {
      try {
        const form = await read({ func: `${family}.edit`, elid });
        const shownId = textOf(form, "elid") ?? textOf(form, "id");
        if (child(form, "ok")) throw new ReadError(`reading ${family}.edit: the reply is not a form`);
        if (shownId !== undefined && shownId !== elid)
          throw new ReadError(`reading ${family}.edit: the reply is the form of license ${shownId}`);
        return seenLicense(form, elid);
      } catch (error) {
        if (error instanceof ReadError && error.refused?.type === "missed") return undefined;
        throw error;
      }
    },

    async licenses(family) {
      const unfiltered = await isUnfiltered(family);
      const first = await readPages(family);
      // One row deleted and one added between two pages hide a third and keep the total. A second read detects this.
      const again = first.pages > 1 ? await readPages(family) : first;
      const rows = [...new Map([...first.rows, ...again.rows]).values()];
      const steady = first.whole && again.whole && rows.length === first.rows.size && rows.length === again.rows.size;
      if (!unfiltered) return { rows, incomplete: "the filter of the list could not be emptied" };
      if (!steady) return { rows, incomplete: `the list could not be read whole (${rows.length} rows)` };
      return { rows };
    },

    async quote(elid, period) {
      const doc = await read({ func: "service.prolong", elid, period: String(period) });
      const [expiry, newExpiry] = [textOf(doc, "expiredate"), newExpiryOf(doc)].map(dayIn);
      const cost = textOf(doc, "cost");
      return { ...(expiry && { expiry }), ...(newExpiry && { newExpiry }), ...(cost && { cost }) };
    },

    async balance() {
      const doc = await read({ func: "whoami" });
      const user = child(doc, "user");
      const [row] = children(doc, "elem");
      const amount = (user && attribute(user, "balance")) ?? (row && textOf(row, "balance"));
      const currency = (user && attribute(user, "currency")) ?? (row && textOf(row, "currency")) ?? "";
      const [number] = /-?\d{1,15}(\.\d+)?/.exec(amount ?? "") ?? [];
      if (number === undefined) throw new ReadError("reading whoami: no balance in the answer");
      return { amount: Number(number), currency };
    },
  };
}

/** Every field that was observed in the filter of a list. */
const filterFields = [
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
const noFilter = Object.fromEntries(filterFields.map((field) => [field, ""]));
/** ISPsystem does not document the values of an unused filter field. Elsewhere billmgr writes "null" for none. */
const neutral = new Set(["", "null", "any"]);
