import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { type ReceiveDependencies, receive } from "../../../../functions/webhook/receive.ts";
import type { Outgoing } from "../../../../shared/intake/message.ts";
import { dependenciesOf } from "../../../support/dependencies.ts";
import { authinfo, signStandard } from "../../../support/local.ts";

const answerTo = (body: string, overrides: Partial<ReceiveDependencies> = {}) => {
  const deps = dependenciesOf(overrides);
  const headers = signStandard(body, deps.now());
  return receive({ method: "POST", path: "/webhooks/standard", headers, body: Buffer.from(body) }, deps);
};

test("a webhook that cannot be queued gets a 503, so that the storefront delivers it again", async () => {
  const send = () => Promise.reject(new Error("the queue is down"));
  expect(await answerTo('{"type":"x"}', { send })).toMatchObject({ status: 503 });
});

test("a webhook that even compressed exceeds an item of the table gets a 413", async () => {
  const noise = JSON.stringify(randomBytes(500_000).toString("base64"));
  expect(await answerTo(noise)).toMatchObject({ status: 413 });
  expect(await answerTo(JSON.stringify("x".repeat(700_000)))).toMatchObject({ status: 200 });
});

test("a webhook whose facts do not fit into an item next to its body becomes an attention item", async () => {
  const sent: Outgoing[] = [];
  const items = Array.from({ length: 100 }, (_, i) => ({ plan: `${i}${"\x01".repeat(180)}`, quantity: 1 }));
  const data = { subscription: "s1", items };
  const body = JSON.stringify({ type: "subscription.changed", timestamp: "2026-11-23", data });
  const send = async (messages: readonly Outgoing[]) => void sent.push(...messages);
  expect(await answerTo(body, { send })).toMatchObject({ status: 200 });
  expect(sent).toMatchObject([
    { message: { kind: "unparseable", reason: expect.stringMatching(/^it contains \d+ bytes of facts/) } },
  ]);
});

test("a webhook is never verified by a secret that is too short, though its signature matches", async () => {
  const secrets = async () => ({ billmgr: authinfo, storefronts: { standard: ["whsec_YQ=="] } });
  expect(await answerTo("{}", { secrets })).toMatchObject({ status: 404 });
});
