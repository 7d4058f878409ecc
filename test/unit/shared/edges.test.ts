import { randomBytes } from "node:crypto";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { type ReceiveDependencies, receive } from "../../../functions/webhook/receive.ts";
import { returnSoonTo, sendTo } from "../../../shared/aws/queue.ts";
import { createBillmgr } from "../../../shared/billmgr/billmgr.ts";
import type { Post } from "../../../shared/billmgr/transport.ts";
import type { Outgoing } from "../../../shared/intake/message.ts";
import { noMetrics } from "../../../shared/observability/metrics.ts";
import { authinfo, signStandard, standardSecret } from "../../support/local.ts";
import { watchedLog } from "../../support/log.ts";

const now = new Date("2026-11-23T08:00:00Z");

describe("a webhook", () => {
  const answer = async (body: string, deps: Partial<ReceiveDependencies> = {}) =>
    receive(
      { method: "POST", path: "/webhooks/standard", headers: signStandard(body, now), body: Buffer.from(body) },
      {
        secrets: async () => ({ billmgr: authinfo, storefronts: { standard: [standardSecret] } }),
        send: async () => {},
        isFresh: () => true,
        now: () => now,
        log: watchedLog(),
        metrics: noMetrics,
        ...deps,
      },
    );

  test("that cannot be queued is answered 503, so that the storefront sends it again", async () => {
    const send = () => Promise.reject(new Error("the queue is down"));
    expect(await answer('{"type":"x"}', { send })).toMatchObject({ status: 503 });
  });

  test("that is too large for an item of the table, even compressed, is answered 413", async () => {
    const noise = JSON.stringify(randomBytes(500_000).toString("base64"));
    expect(await answer(noise)).toMatchObject({ status: 413 });
    expect(await answer(JSON.stringify("x".repeat(700_000)))).toMatchObject({ status: 200 });
  });

  test("whose facts are too large to store with it is queued as unparseable", async () => {
    const sent: Outgoing[] = [];
    const items = Array.from({ length: 100 }, (_, i) => ({ plan: `${i}${"\x01".repeat(180)}`, quantity: 1 }));
    const data = { subscription: "s1", items };
    const body = JSON.stringify({ type: "subscription.changed", timestamp: "2026-11-23", data });
    const send = async (messages: readonly Outgoing[]) => void sent.push(...messages);
    expect(await answer(body, { send })).toMatchObject({ status: 200 });
    expect(sent).toMatchObject([
      { message: { kind: "unparseable", reason: expect.stringMatching(/^it contains \d+ bytes/) } },
    ]);
  });

  test("is never verified by a secret that is too short, even if it matches", async () => {
    const secrets = async () => ({ billmgr: authinfo, storefronts: { standard: ["whsec_YQ=="] } });
    expect(await answer("{}", { secrets })).toMatchObject({ status: 404 });
  });
});

describe("the queue", () => {
  const clientThat = (answer: (input: Record<string, unknown>) => object) =>
    ({ send: async ({ input }: { input: Record<string, unknown> }) => answer(input) }) as unknown as SQSClient;

  test("fails the batch if SQS rejects one of its messages", async () => {
    const client = clientThat(() => ({ Failed: [{ Id: "0", Code: "InternalError", Message: "try again" }] }));
    const send = sendTo(client, "url");
    await expect(
      send([{ message: { key: "subscription#standard/1", kind: "wake" }, deduplicationId: "" }]),
    ).rejects.toThrow("InternalError try again");
  });

  test("returns a failed message soon, and later after each attempt", async () => {
    const seen: unknown[] = [];
    const returnSoon = returnSoonTo(
      clientThat(({ VisibilityTimeout }) => [seen.push(VisibilityTimeout)]),
      "url",
    );
    for (const attempts of [1, 2, 5, 20]) await returnSoon("receipt", attempts);
    expect(seen).toEqual([30, 60, 480, 900]);
  });
});

describe("a list that changes while its pages are read", () => {
  const page = (from: number, to: number, total?: number) =>
    `<doc>${Array.from({ length: to - from }, (_, i) => `<elem><id>${from + i}</id></elem>`).join("")}${total === undefined ? "" : `<p_elems>${total}</p_elems>`}</doc>`;
  /** Reads a list whose pages are answered in this order, with `filter` as the form of its filter. */
  const incompleteness = async (pages: string[], filter = "<doc><status/></doc>") => {
    const left = [...pages];
    const post: Post = async (form) => {
      const func = form.get("func");
      const body = func === "platform" ? left.shift() : form.has("sok") ? "<doc><ok/></doc>" : filter;
      return { kind: "response", status: 200, body: body ?? "<doc/>" };
    };
    return (await createBillmgr(post, async () => authinfo).licenses("platform")).incomplete;
  };
  const whole = [page(0, 250, 300), page(250, 300, 300)];

  test.each<[string, string[], string | undefined]>([
    ["one page", [page(0, 10, 10)], undefined],
    ["two pages of one count, the same twice", [...whole, ...whole], undefined],
    ["another count on the second", [page(0, 250, 301), page(250, 300, 300)], "read whole"],
    ["a row twice", [page(0, 250, 300), page(249, 299, 300)], "read whole"],
    ["no count at all", [page(0, 10)], "read whole"],
    [
      "one row that was removed and one that was added, so that a third was never shown",
      [page(0, 250, 300), page(251, 301, 300), page(1, 251, 300), page(251, 301, 300)],
      "read whole",
    ],
  ])("with %s", async (_, pages, incomplete) => {
    const found = await incompleteness(pages);
    if (incomplete === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(incomplete);
  });

  test("with a filter that cannot be cleared", async () => {
    expect(await incompleteness([page(0, 10, 10)], "<doc><status>2</status></doc>")).toContain("filter");
    expect(await incompleteness([page(0, 10, 10)], '<doc><error type="access"/></doc>')).toContain("filter");
    expect(await incompleteness([page(0, 10, 10)], "<doc><status>null</status></doc>")).toBeUndefined();
    expect(await incompleteness([page(0, 10, 10)], "<doc><ok/></doc>")).toContain("filter");
  });
});
