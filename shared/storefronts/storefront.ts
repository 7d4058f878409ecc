import type { Event } from "../licensing/event.ts";
import type { Instant } from "../licensing/time.ts";

/** A webhook request as it came: header names in lower case, the body's own bytes. */
export type SignedRequest = { headers: Readonly<Record<string, string | undefined>>; body: Buffer };

/** Whether a signature's time (Unix seconds) is near enough to now. */
export type FreshnessCheck = (seconds: number) => boolean;

/** Whom a fact is about: a subscription, or a thing that another event has linked or will link to one. */
export type Subject = { subscription: string } | { reference: string };

/** What one event of a storefront says. */
export type ParsedEvent = {
  /** The storefront's id of the event. */
  id: string;
  /** The storefront's own name of the type, for the log. */
  type: string;
  /** Absent where the event does not tell it. */
  occurredAt?: Instant;
  /** From the storefront's test mode. */
  test?: boolean;
} & (
  | { kind: "facts"; about: Subject; events: Event[]; links?: Link[] }
  /** Nothing for a license to do, with the reason. `about`: whom it concerns, as far as that is known. */
  | { kind: "ignored"; reason: string; about?: Subject }
  /** It should mean something, and it cannot be told what. */
  | { kind: "unparseable"; reason: string; about?: Subject }
);

/** Facts about the reference belong to that other subject. */
export type Link = { reference: string; to: Subject };

/** How one storefront signs its webhooks and what its events mean. Pure. */
export type Storefront = {
  name: string;
  /** The headers that `events` reads, in lower case: kept with each event, so that it can be replayed. */
  headers?: readonly string[];
  /** True of an unsigned request by which the storefront only tries whether the address answers: it gets a 200. */
  isPing?(request: SignedRequest): boolean;
  /** Why a secret cannot be one of this storefront's, or undefined. */
  secretProblem(secret: string): string | undefined;
  /** Why the request is not to be trusted, or undefined when one of the secrets signed it. */
  verify(request: SignedRequest, secrets: readonly string[], isFresh: FreshnessCheck): string | undefined;
  /** The body's text as a value, or undefined where it is none, which is answered 400. Without this it is JSON. */
  parse?(text: string): unknown;
  /** What the parsed body of a verified request says. */
  events(body: unknown, headers: SignedRequest["headers"]): ParsedEvent[];
};
