import type { Event } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";

/** A webhook request as received: header names in lower case, the body as bytes. */
export type SignedRequest = { headers: Readonly<Record<string, string | undefined>>; body: Buffer };

/** Whether a signature's time (Unix seconds) is close enough to now, by the usual tolerance or by that of a storefront. */
export type FreshnessCheck = (seconds: number, toleranceSeconds?: number) => boolean;

/** The subject of a fact: a subscription, or a reference that another event links to one, before or after it. */
export type Subject = { subscription: string } | { reference: string };

/** The meaning of one event of a storefront. */
export type ParsedEvent = {
  /** The storefront's id of the event. */
  id: string;
  /** The storefront's own name of the type, for the log. */
  type: string;
  /** Absent if the event does not contain it. */
  occurredAt?: Instant;
  /** From the storefront's test mode. */
  test?: boolean;
} & (
  | { kind: "facts"; about: Subject; events: Event[]; links?: Link[] }
  /** No license depends on it, for this reason. `about`: its subject, if known. */
  | { kind: "ignored"; reason: string; about?: Subject }
  /** It should have an effect, and the parser cannot determine which. */
  | { kind: "unparseable"; reason: string; about?: Subject }
);

/** Facts about the reference belong to that other subject. Linking the reference again moves them, unless it is shared. */
export type Link = {
  reference: string;
  to: Subject;
  /** One order of several subscriptions: each receives the order's facts, and no other loses them. */
  shared?: true;
  /** Months for which `to` is charged each time. Of a shared order, it owns the lines whose plans have this period. */
  months?: number;
};

/** How one storefront signs its webhooks, and what its events mean. Pure. */
export type Storefront = {
  name: string;
  /** The headers that `events` reads, in lower case. They are stored with each event, for a replay. */
  headers?: readonly string[];
  /** True for an unsigned request that only tests whether the address answers. It gets a 200. */
  isPing?(request: SignedRequest): boolean;
  /** Why a secret cannot be one of this storefront's, or undefined. */
  secretProblem(secret: string): string | undefined;
  /** Why the request is not trusted, or undefined if one of the secrets signed it. */
  verify(request: SignedRequest, secrets: readonly string[], isFresh: FreshnessCheck): string | undefined;
  /** Parses the body's text; undefined is answered 400. Without this function the body is JSON. */
  parse?(text: string): unknown;
  /** The events in the parsed body of a verified request. Never throws. */
  events(body: unknown, headers: SignedRequest["headers"]): ParsedEvent[];
};
