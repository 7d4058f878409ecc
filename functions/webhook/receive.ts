import { gunzipSync, gzipSync } from "node:zlib";
import type { Outgoing, Send } from "../../shared/aws/queue.ts";
import type { Secrets } from "../../shared/aws/secrets.ts";
import { toInstant, untold } from "../../shared/licensing/time.ts";
import { digestOf, type Key, keyOf, type Message, type Received } from "../../shared/message.ts";
import { parseJson } from "../../shared/storefronts/bodies.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { SignedRequest, Storefront, Subject, Timely, Told } from "../../shared/storefronts/storefront.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";

export type Request = {
  method: string;
  path: string;
  /** Names in any case. */
  headers: Record<string, string | undefined>;
  body: Buffer;
};

export type Answer = { status: number; body: Record<string, unknown>; headers?: Record<string, string> };

export type World = {
  secrets: () => Promise<Secrets>;
  send: Send;
  timely: Timely;
  now: () => Date;
  log: Log;
  metrics: Metrics;
};

export const largestBody = 1024 * 1024;

/** An item of the table holds 400 KB; a storefront's longest events stay far below this when compressed. */
const largestStored = 300 * 1024;
const mostAtOnce = 100;
const compressedFrom = 32 * 1024;
/** What one event tells is stored beside its body. */
const largestFacts = 64 * 1024;
/** No JSON begins like this. */
const compressed = "gzip:";

/**
 * Verifies a webhook, makes what it says durable, and only then answers 200: storefronts deliver again whatever is
 * answered otherwise, and give up or switch off after a while, so anything that they cannot mend gets a 200 too.
 */
export async function receive(request: Request, world: World): Promise<Answer> {
  const { path } = request;
  if (path === "/health") return { status: 200, body: { status: "ok" } };
  const [, name = ""] = /^\/webhooks\/([^/]+)\/?$/.exec(path) ?? [];
  const storefront = storefrontNamed(name);
  if (!storefront) return refuse(404, "no such storefront");
  const answer = await answerTo(request, storefront, world);
  world.metrics.put("Webhooks", 1, { storefront: name, answer: String(answer.status) });
  if (answer.status === 401) world.metrics.put("SignatureFailures", 1);
  return answer;
}

async function answerTo(request: Request, storefront: Storefront, world: World): Promise<Answer> {
  const { name } = storefront;
  let secrets: readonly string[];
  try {
    const all = (await world.secrets()).storefronts;
    secrets = (Object.hasOwn(all, name) ? (all[name] ?? []) : []).filter((secret, place) => {
      const flaw = storefront.flawOf(secret);
      if (flaw) world.log.error("a signing secret is passed over", { storefront: name, place, flaw });
      return !flaw;
    });
  } catch (error) {
    world.log.error("secrets could not be read", { storefront: name, error: messageOf(error) });
    return refuse(503, "the signing secrets cannot be read now");
  }
  if (secrets.length === 0) return refuse(404, `no signing secret is configured for ${name}`);
  if (request.method !== "POST") return { ...refuse(405, "webhooks are sent by POST"), headers: { allow: "POST" } };
  if (request.body.length > largestBody) return refuse(413, "the body is larger than 1 MiB");

  const signed: SignedRequest = { headers: lowerCased(request.headers), body: request.body };
  if (storefront.isGreeting?.(signed)) return { status: 200, body: { status: "nothing to do" } };
  const distrust = storefront.verify(signed, secrets, world.timely);
  if (distrust) {
    world.log.warn("webhook refused", { storefront: name, reason: distrust });
    return refuse(401, distrust);
  }
  return accept(storefront, signed, world);
}

async function accept(storefront: Storefront, request: SignedRequest, world: World): Promise<Answer> {
  const text = request.body.toString("utf8");
  const body = (storefront.parse ?? parseJson)(text);
  if (body === undefined) return refuse(400, "the body is not JSON");
  const packed = pack(text);
  if (packed === undefined) return refuse(413, "the body is too large to be kept, even compressed");
  try {
    await enqueue(storefront, { body, headers: request.headers, packed }, world);
  } catch (error) {
    world.log.error("webhook could not be queued", { storefront: storefront.name, error: messageOf(error) });
    return refuse(503, "the event could not be made durable; deliver it again");
  }
  return { status: 200, body: { status: "accepted" } };
}

/** `packed`: the body as it is kept. */
type Trusted = { body: unknown; headers: SignedRequest["headers"]; packed: string };

/** Makes durable what a body says that is trusted. @throws Error when the queue does not take it */
export async function enqueue(
  storefront: Storefront,
  { body, headers, packed }: Trusted,
  { send, now, log }: Pick<World, "send" | "now" | "log">,
): Promise<void> {
  const { name } = storefront;
  const told = atOnce(storefront.events(body, headers));
  const came = { receivedAt: toInstant(now()), ...keptHeaders(storefront, headers), body: packed };
  const outgoing = told.flatMap((one) => messagesOf(name, one, came));
  for (const { id, type, says } of told.map(storable))
    log.info("webhook verified", { storefront: name, event: id, type, says });
  await send(outgoing);
}

/** Each event is sent with the whole body. */
function atOnce(told: Told[]): Told[] {
  const [first] = told;
  if (!first || told.length <= mostAtOnce) return told;
  const reason = `it tells ${told.length} events at once, more than ${mostAtOnce}`;
  return [{ id: "", type: first.type, says: "unclear", reason }];
}

/** Any text of a body can be as long as the body. */
function storable(told: Told): Told {
  const head = { ...told, type: told.type.slice(0, 100) };
  if (head.says !== "facts") return { ...head, reason: head.reason.slice(0, 500) };
  const { id, type, occurredAt, test, events } = head;
  const size = Buffer.byteLength(JSON.stringify(events));
  if (size <= largestFacts) return head;
  const reason = `it tells ${size} bytes of facts, more than can be kept`;
  return { id, type, ...(occurredAt && { occurredAt }), ...(test && { test }), says: "unclear", reason };
}

type Came = Pick<Received, "receivedAt" | "headers" | "body">;

function keptHeaders(
  { headers: names = [] }: Storefront,
  headers: SignedRequest["headers"],
): Pick<Received, "headers"> {
  const kept = names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
  return kept.length > 0 ? { headers: Object.fromEntries(kept) } : {};
}

/** The messages that carry what one event says to whom it is about. */
export function messagesOf(storefront: string, read: Told, came: Came): Outgoing[] {
  const told = storable(read);
  const once = digestOf(told.id, came.body);
  const id = idOf(told.id, once);
  const received: Received = {
    id,
    type: told.type,
    occurredAt: told.occurredAt ?? untold,
    ...(told.test && { test: true }),
    ...came,
  };
  const to = (message: Message): Outgoing => ({ message, once });
  if (told.says !== "facts") {
    const kind = told.says === "nothing" ? "ignored" : "unclear";
    return [to({ key: keyOf("event", storefront, id), kind, received, reason: told.reason })];
  }
  const links = (told.links ?? []).map((link) =>
    to({
      key: keyOf("reference", storefront, link.reference),
      kind: "link",
      to: keyOfSubject(storefront, link.to),
      ...(told.test && { test: true }),
    }),
  );
  const events = told.events.map((event) => ({ ...event, id }));
  const about = keyOfSubject(storefront, told.about);
  return [to({ key: about, kind: "event", received, events }), ...links];
}

const keyOfSubject = (storefront: string, subject: Subject): Key =>
  "subscription" in subject
    ? keyOf("subscription", storefront, subject.subscription)
    : keyOf("reference", storefront, subject.reference);

/** Ids become table keys: what is empty or too long for one is known by its digest. */
const idOf = (id: string, digest: string): string => (id.length > 0 && id.length <= 200 ? id : digest);

/** A body's text as it is kept; undefined where it is too large for that. */
export function pack(text: string): string | undefined {
  const packed = text.length < compressedFrom ? text : `${compressed}${gzipSync(text).toString("base64")}`;
  return packed.length > largestStored ? undefined : packed;
}

/** The text of a body as it is kept. */
export const unpack = (body: string): string =>
  body.startsWith(compressed)
    ? gunzipSync(Buffer.from(body.slice(compressed.length), "base64")).toString("utf8")
    : body;

const lowerCased = (headers: Request["headers"]): SignedRequest["headers"] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const refuse = (status: number, error: string): Answer => ({ status, body: { error } });

const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
