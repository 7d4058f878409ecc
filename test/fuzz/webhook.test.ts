import { marshall } from "@aws-sdk/util-dynamodb";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHandler } from "../../functions/webhook/handler.ts";
import type { Outgoing } from "../../shared/intake/message.ts";
import { storefrontNames } from "../../shared/licensing/event.ts";
import { dependenciesOf } from "../support/dependencies.ts";
import { alteredByte, mutatedJson, mutatedText, odd, oddTexts, runs } from "../support/mutations.ts";
import { headersOf, signerOf, signers } from "../support/signers.ts";
import { watch } from "../support/watch.ts";

const now = new Date("2027-01-31T10:00:00Z");
type Event = { method: string; path: string; headers: Record<string, string>; body: string; encoded: boolean };

/** Calls the webhook function. @returns its status, and the messages that it sent to the queue */
async function deliver({ method, path, headers, body, encoded }: Event) {
  const sent: Outgoing[] = [];
  const handler = createHandler(
    dependenciesOf({ send: async (messages) => void sent.push(...messages), now: () => now }),
  );
  const { statusCode, body: answer } = await handler({
    rawPath: path,
    headers,
    requestContext: { http: { method } },
    body,
    isBase64Encoded: encoded,
  } as unknown as APIGatewayProxyEventV2);
  watch("an HTTP reply", answer);
  expect(JSON.parse(answer ?? "")).toBeTypeOf("object");
  return { status: statusCode, sent };
}

const posted = (name: string, headers: Record<string, string>, body: Buffer): Event => ({
  method: "POST",
  path: `/webhooks/${name}`,
  headers,
  body: body.toString("base64"),
  encoded: true,
});

test("each storefront has a signer", () => {
  expect(Object.keys(signers).sort()).toEqual([...storefrontNames].sort());
});

const values = fc.oneof(fc.string({ unit: "binary" }), oddTexts, fc.constant(String(now.getTime() / 1000)));
const headerNames = Object.values(signers).flatMap(({ counts }) => Object.keys(counts));
const anyHeaders = fc.dictionary(
  fc.oneof(fc.constantFrom(...headerNames, "__proto__", "Webhook-Id", "content-type"), fc.string()),
  fc.oneof(
    values,
    values.map((value) => `v1,${value} v1,`),
    values.map((value) => `t=${now.getTime() / 1000},v1=${value}`),
  ),
  { noNullPrototype: true },
);
const anyPath = fc.oneof(
  fc.constantFrom(...storefrontNames).map((name) => `/webhooks/${name}`),
  fc.constantFrom(
    "/health",
    "/",
    "",
    "/webhooks/",
    "/webhooks/__proto__",
    "/webhooks/constructor",
    "/webhooks/%2e%2e/x",
  ),
  fc.string().map((text) => `/webhooks/${text}`),
);
const anyBody = fc.oneof(fc.string({ unit: "binary" }), fc.json(), oddTexts);

test("a request without a valid signature is refused, and queues no message", async () => {
  const method = fc.constantFrom("POST", "POST", "POST", "GET", "PUT", "__proto__");
  const event = fc.record({ method, path: anyPath, headers: anyHeaders, body: anyBody, encoded: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(event, async (given) => {
      const { status, sent } = await deliver(given);
      expect(given.path === "/health" ? [200] : [401, 404, 405, 413]).toContain(status);
      expect(sent).toEqual([]);
    }),
    { numRuns: runs(2000) },
  );
});

/** The size of a table item in bytes; DynamoDB allows 400 KB. Names and texts count in UTF-8, numbers at most 21. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value !== "object" || value === null) return 21;
  return Object.entries(value).reduce((sum, [name, inner]) => sum + name.length + sizeOf(inner) + 4, 4);
}

/** Checks that the queue and the table can store the message without loss. */
function expectDurable({ message }: Outgoing): void {
  const text = JSON.stringify(message);
  expect(JSON.parse(text)).toEqual(message);
  expect(Buffer.byteLength(text)).toBeLessThan(1_000_000);
  expect(message.key).toMatch(/^(subscription|reference|event)#[a-z]+\/./s);
  expect(message.key.isWellFormed()).toBe(true);
  expect(Buffer.byteLength(message.key)).toBeLessThanOrEqual(2048);
  if (!("received" in message)) return;
  const { id, occurredAt } = message.received;
  expect(occurredAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(Buffer.byteLength(`event#${occurredAt}#${id}`)).toBeLessThanOrEqual(1024);
  marshall(message, { removeUndefinedValues: true });
  expect(sizeOf(message)).toBeLessThan(400_000);
}

describe.each(storefrontNames)("%s", (name) => {
  const { sign, webhooks, counts, signsBody, toleranceSeconds = 300 } = signerOf(name);
  const texts = webhooks.map(({ body }) => JSON.stringify(body));
  const known = fc.constantFrom(...texts);
  const someHeaders = fc.constantFrom(...new Set(webhooks.map(({ headers }) => headers)));

  test("any signed body is queued without loss, or refused with 400 if it is not JSON", async () => {
    const json = fc
      .oneof(odd, fc.oneof(...webhooks.map(({ body }) => mutatedJson(body))))
      .map((value) => JSON.stringify(value));
    const text = fc.oneof(
      { weight: 4, arbitrary: json },
      { weight: 1, arbitrary: fc.oneof(...texts.map(mutatedText)) },
      { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    );
    await fc.assert(
      fc.asyncProperty(text, someHeaders, async (given, headers) => {
        const body = Buffer.from(given);
        const { status, sent } = await deliver(posted(name, headersOf(name, { headers }, body.toString(), now), body));
        expect([200, 400]).toContain(status);
        expect(sent.length > 0).toBe(status === 200);
        sent.forEach(expectDurable);
      }),
      { numRuns: runs(1500) },
    );
  });

  /** Lengthens a list to 1000 different entries, or to as many as fit into a body. */
  const lengthened = (list: unknown[]): unknown[] => {
    const vary = (one: unknown, i: number) =>
      JSON.parse(
        JSON.stringify(one).replaceAll(/"(id|plan|price|product)":"/g, (name) => `${name}${i}${"-".repeat(180)}`),
      );
    const each = JSON.stringify(list.map(vary)).length / list.length;
    const length = Math.max(list.length, Math.min(1000, Math.floor(900_000 / each)));
    return Array.from({ length }, (_, i) => vary(list[i % list.length] ?? null, i));
  };
  const longLists = (_: string, value: unknown) => (Array.isArray(value) ? lengthened(value) : value);
  const longOuterLists = (body: string): string => {
    const parts = Object.entries(JSON.parse(body)).map(([key, value]) => [key, longLists(key, value)]);
    return JSON.stringify(Object.fromEntries(parts));
  };

  test.each<[string, (body: string) => string]>([
    ["each text replaced by a long one", (body) => body.replaceAll(/:"[^"]+"/g, `:"${"long".repeat(8000)}"`)],
    ["a long type", (body) => body.replace(/"type":"[^"]+"/, `"type":"${"x".repeat(700_000)}"`)],
    ["a thousand entries in each list", (body) => JSON.stringify(JSON.parse(body, longLists))],
    ["a thousand entries in each outer list", longOuterLists],
    ["lists in lists", (body) => body.replace(/:"[^"]+"/, `:${"[".repeat(200_000)}${"]".repeat(200_000)}`)],
    ["objects in objects", (body) => body.replace(/:"[^"]+"/, `:${'{"id":'.repeat(100_000)}1${"}".repeat(100_000)}`)],
    ["a very long number", (body) => body.replaceAll(/:\d+/g, `:${"9".repeat(10_000)}`)],
  ])("a signed body near the size limit is queued without loss or refused: %s", async (_, enlarge) => {
    for (const { body: small, headers } of webhooks) {
      const body = enlarge(JSON.stringify(small));
      const { status, sent } = await deliver(posted(name, headersOf(name, { headers }, body, now), Buffer.from(body)));
      expect([200, 400, 413]).toContain(status);
      expect(sent.length > 0).toBe(status === 200);
      // A hundred events, each with its link.
      expect(sent.length).toBeLessThanOrEqual(200);
      sent.forEach(expectDurable);
    }
  });

  test.runIf(signsBody)("a body with one changed byte is refused", async () => {
    const altered = known.chain((text) => fc.tuple(fc.constant(text), alteredByte(Buffer.from(text))));
    await fc.assert(
      fc.asyncProperty(altered, async ([text, body]) => {
        expect(await deliver(posted(name, sign(text, now), body))).toEqual({ status: 401, sent: [] });
      }),
      { numRuns: runs(500) },
    );
  });

  test.each(Object.entries(counts))("a header %s with one changed character is refused", async (header, counting) => {
    // Blanks and the separators of a list are not part of a value.
    const character = fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 1 }).filter((c) => !/[\s,;]/.test(c));
    const change = fc.record({ at: fc.nat(), character, how: fc.constantFrom("replace", "insert", "append", "drop") });
    await fc.assert(
      fc.asyncProperty(known, change, async (text, { at, character, how }) => {
        const headers = sign(text, now);
        const value = headers[header] ?? "";
        const part = counting.exec(value)?.[1] ?? expect.fail(`no part of ${header} that counts`);
        const i = at % part.length;
        const altered = {
          replace: part.slice(0, i) + character + part.slice(i + 1),
          insert: part.slice(0, i) + character + part.slice(i),
          append: part + character,
          drop: part.slice(0, i) + part.slice(i + 1),
        }[how];
        fc.pre(altered !== part);
        const body = Buffer.from(text);
        const event = posted(name, { ...headers, [header]: value.replace(part, () => altered) }, body);
        expect(await deliver(event)).toEqual({ status: 401, sent: [] });
      }),
      { numRuns: runs(500) },
    );
  });

  test("a signature of another body, of another time, or without one of its headers is refused", async () => {
    const [text = "", other = ""] = texts;
    const body = Buffer.from(text);
    expect((await deliver(posted(name, sign(text, now), body))).status).toBe(200);
    expect((await deliver(posted(name, sign(other, now), body))).status).toBe(signsBody ? 401 : 200);
    for (const header of Object.keys(counts)) {
      const { [header]: _, ...rest } = sign(text, now);
      expect((await deliver(posted(name, rest, body))).status).toBe(401);
    }
    const stale = sign(text, new Date(now.getTime() - (toleranceSeconds + 1) * 1000));
    const isTimed = JSON.stringify(stale) !== JSON.stringify(sign(text, now));
    expect((await deliver(posted(name, stale, body))).status).toBe(isTimed ? 401 : 200);
  });
});
