import type { CallOutcome, ChangeKind } from "../licensing/operation.ts";
import type { Day } from "../licensing/time.ts";
import { pageOf, type SeenLicense, seenLicense } from "./license.ts";
import { newExpiryOf, outcomeOf } from "./outcome.ts";
import { attribute, child, children, type Element, readReply, textOf } from "./reply.ts";
import type { Post, Sent } from "./transport.ts";

/** Timeouts nest: a call < a function's run < the queue's visibility. */
export const callTimeoutMs = 60_000;
export const readTimeoutMs = 20_000;

/** A reading that gave no answer to believe. `refused` holds billmgr's error where it sent one. */
export class ReadError extends Error {
  override name = "ReadError";
  readonly refused: { type: string } | undefined;
  constructor(message: string, refused?: { type: string }) {
    super(message);
    this.refused = refused;
  }
}

export type Quote = { expiry?: Day; newExpiry?: Day; cost?: string };
export type Balance = { amount: number; currency: string };
/** `complete`: every row that billmgr counted was read, each once. */
export type Listing = { rows: SeenLicense[]; complete: boolean };

/** ISPsystem's billing, by its HTTP API. */
export type Billmgr = {
  /** The one changing call of an operation. Never rejects: what went wrong is its outcome. */
  call(kind: ChangeKind, request: Record<string, string>): Promise<CallOutcome>;
  /** One license, or undefined where billmgr knows none by that id. @throws ReadError */
  license(family: string, elid: string): Promise<SeenLicense | undefined>;
  /** All licenses of a family, unfiltered, deleted ones included. @throws ReadError */
  licenses(family: string): Promise<Listing>;
  /** What prolonging would do. @throws ReadError */
  quote(elid: string, period: number): Promise<Quote>;
  /** The account's money. @throws ReadError */
  balance(): Promise<Balance>;
};

const pageSize = 250;
const mostPages = 400;

/** @param authinfo reads "user:password" anew for each call, so that a changed password needs no restart */
export function createBillmgr(post: Post, authinfo: () => Promise<string>): Billmgr {
  async function send(request: Record<string, string>, timeoutMs: number): Promise<{ sent: Sent; redact: Redact }> {
    let secret: string;
    try {
      secret = await authinfo();
    } catch (error) {
      const why = `authinfo cannot be read: ${error instanceof Error ? error.message : "no reason given"}`;
      return { sent: { came: "not_sent", why }, redact: (text) => text };
    }
    const sent = await post(new URLSearchParams({ authinfo: secret, ...request }), timeoutMs);
    return { sent, redact: redactor(secret) };
  }

  async function read(request: Record<string, string>): Promise<Element> {
    const { sent, redact } = await send({ out: "xml", lang: "en", ...request }, readTimeoutMs);
    const at = `reading ${request.func}: `;
    if (sent.came !== "answer") throw new ReadError(redact(at + sent.why));
    const reply = readReply(sent.status, sent.body);
    if (reply.is === "unreadable") throw new ReadError(redact(at + reply.why));
    if (reply.is === "error") {
      const { type, object, message } = reply;
      throw new ReadError(redact(`${at}error ${type}${object ? `/${object}` : ""}: ${message}`), { type });
    }
    return reply.doc;
  }

  return {
    async call(kind, request) {
      const { sent, redact } = await send(request, callTimeoutMs);
      const outcome = outcomeOf(kind, sent);
      return { ...outcome, said: redact(outcome.said) };
    },

    async license(family, elid) {
      try {
        return seenLicense(await read({ func: `${family}.edit`, elid }), elid);
      } catch (error) {
        if (error instanceof ReadError && error.refused?.type === "missed") return undefined;
        throw error;
      }
    },

    async licenses(family) {
      // A filter set anywhere, in the client area too, stays with the account and silently shortens every later list.
      await read({ func: `${family}.filter`, sok: "ok", ...noFilter });
      const rows = new Map<string, SeenLicense>();
      let total: number | undefined;
      for (let number = 1; number <= mostPages; number++) {
        const page = pageOf(await read({ func: family, p_cnt: String(pageSize), p_num: String(number) }));
        const before = rows.size;
        for (const row of page.rows) rows.set(row.elid, row);
        // Rows that come and go while pages are read shift the rest from page to page.
        const shifted = number > 1 && page.total !== total;
        total = page.total;
        if (shifted || total === undefined || rows.size >= total || rows.size === before) {
          return { rows: [...rows.values()], complete: !shifted && rows.size === total };
        }
      }
      return { rows: [...rows.values()], complete: false };
    },

    async quote(elid, period) {
      const doc = await read({ func: "service.prolong", elid, period: String(period) });
      const [expiry, newExpiry, cost] = [textOf(doc, "expiredate"), newExpiryOf(doc), textOf(doc, "cost")];
      return {
        ...(expiry && isDay(expiry) && { expiry }),
        ...(newExpiry && isDay(newExpiry) && { newExpiry }),
        ...(cost && { cost }),
      };
    },

    async balance() {
      const doc = await read({ func: "whoami" });
      const user = child(doc, "user");
      const [row] = children(doc, "elem");
      const amount = (user && attribute(user, "balance")) ?? (row && textOf(row, "balance"));
      const currency = (user && attribute(user, "currency")) ?? (row && textOf(row, "currency")) ?? "";
      const [number] = /-?\d+(\.\d+)?/.exec(amount ?? "") ?? [];
      if (number === undefined) throw new ReadError("reading whoami: no balance in the answer");
      return { amount: Number(number), currency };
    },
  };
}

/** Every field that the filter of a list was seen to have, emptied. */
const noFilter = Object.fromEntries(
  [
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
  ].map((field) => [field, ""]),
);

const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text);

type Redact = (text: string) => string;

const longestSaid = 400;

/** Answers can echo what was sent, in whatever encoding. What is said is cut only after that is taken out. */
const redactor = (authinfo: string): Redact => {
  const password = authinfo.slice(authinfo.indexOf(":") + 1);
  const secrets = [authinfo, password].flatMap((text) => [
    text,
    encodeURIComponent(text),
    new URLSearchParams({ _: text }).toString().slice(2),
  ]);
  return (text) =>
    secrets.reduce((clean, secret) => (secret ? clean.replaceAll(secret, "***") : clean), text).slice(0, longestSaid);
};
