import { randomBytes } from "node:crypto";
import type { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, test } from "vitest";
import { receive, type World } from "../../functions/webhook/receive.ts";
import { returnSoonTo, sendTo } from "../../shared/aws/queue.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { signStandard, standardSecret } from "../support/local.ts";

const now = new Date("2026-11-23T08:00:00Z");

describe("a webhook", () => {
  const answer = async (body: string, world: Partial<World> = {}) =>
    receive(
      { method: "POST", path: "/webhooks/standard", headers: signStandard(body, now), body: Buffer.from(body) },
      {
        secrets: async () => ({ billmgr: "a:b", storefronts: { standard: [standardSecret] } }),
        send: async () => {},
        timely: () => true,
        now: () => now,
        log: { info() {}, warn() {}, error() {} },
        ...world,
      },
    );

  test("that cannot be queued is answered 503, so that it is delivered again", async () => {
    const send = () => Promise.reject(new Error("the queue is down"));
    expect(await answer('{"type":"x"}', { send })).toMatchObject({ status: 503 });
  });

  test("that no item of the table could hold, compressed as it may be, is answered 413", async () => {
    const noise = JSON.stringify(randomBytes(500_000).toString("base64"));
    expect(await answer(noise)).toMatchObject({ status: 413 });
    expect(await answer(JSON.stringify("x".repeat(700_000)))).toMatchObject({ status: 200 });
  });

  test("is never verified by a secret that is next to none, though it matches", async () => {
    const secrets = async () => ({ billmgr: "a:b", storefronts: { standard: ["whsec_YQ=="] } });
    expect(await answer("{}", { secrets })).toMatchObject({ status: 404 });
  });
});

describe("the queue", () => {
  const clientThat = (answer: (input: Record<string, unknown>) => object) =>
    ({ send: async ({ input }: { input: Record<string, unknown> }) => answer(input) }) as unknown as SQSClient;

  test("that refuses one message of a batch has not taken the batch", async () => {
    const client = clientThat(() => ({ Failed: [{ Id: "0", Code: "InternalError", Message: "try again" }] }));
    const send = sendTo(client, "url");
    await expect(send([{ message: { key: "subscription#standard/1", kind: "wake" }, once: "" }])).rejects.toThrow(
      "InternalError try again",
    );
  });

  test("shows a failed message again soon, and less soon each time", async () => {
    const seen: unknown[] = [];
    const returnSoon = returnSoonTo(
      clientThat(({ VisibilityTimeout }) => [seen.push(VisibilityTimeout)]),
      "url",
    );
    for (const times of [1, 2, 5, 20]) await returnSoon("receipt", times);
    expect(seen).toEqual([30, 60, 480, 900]);
  });
});

describe("a list that changes while its pages are read", () => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `<elem><id>${from + i}</id></elem>`).join("");
  const reading = async (...pages: string[]) => {
    const bodies = ["<doc><ok/></doc>", ...pages];
    const post = async () => ({ came: "answer" as const, status: 200, body: bodies.shift() ?? "<doc/>" });
    const { complete } = await createBillmgr(post, async () => "a:b").licenses("platform");
    return complete;
  };

  test.each([
    [
      "two pages of one count",
      [`<doc>${rows(0, 250)}<p_elems>300</p_elems></doc>`, `<doc>${rows(250, 300)}<p_elems>300</p_elems></doc>`],
      true,
    ],
    [
      "another count on the second",
      [`<doc>${rows(0, 250)}<p_elems>301</p_elems></doc>`, `<doc>${rows(250, 300)}<p_elems>300</p_elems></doc>`],
      false,
    ],
    [
      "a row twice",
      [`<doc>${rows(0, 250)}<p_elems>300</p_elems></doc>`, `<doc>${rows(249, 299)}<p_elems>300</p_elems></doc>`],
      false,
    ],
    ["no count at all", [`<doc>${rows(0, 10)}</doc>`], false],
  ])("with %s", async (_, pages, complete) => {
    expect(await reading(...pages)).toBe(complete);
  });
});
