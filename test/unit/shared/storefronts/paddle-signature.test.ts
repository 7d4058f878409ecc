import { LogLevel, Paddle } from "@paddle/paddle-node-sdk";
import { describe, expect, test } from "vitest";
import { paddle } from "../../../../shared/storefronts/paddle.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import { paddleHeader } from "../../../support/paddle.ts";
import { plainSecretOf } from "../../../support/secrets.ts";

describe("a signature", () => {
  const [oldSecret, newSecret] = [plainSecretOf("old", "pdl_ntfset_"), plainSecretOf("new", "pdl_ntfset_")];
  const body = '{"event_id":"evt_7","note":"žluťoučký kůň"}';
  const now = 1_801_389_600;
  const verify = (header: string | undefined, secrets = [newSecret]) =>
    paddle.verify(
      { headers: { "paddle-signature": header }, body: Buffer.from(body) },
      secrets,
      freshAt(() => now * 1000),
    );

  test("made by our formula is one to Paddle's own SDK", async () => {
    const { webhooks } = new Paddle("synthetic", { logLevel: LogLevel.none });
    const header = paddleHeader(body, newSecret, Math.floor(Date.now() / 1000));
    expect(await webhooks.isSignatureValid(body, newSecret, header)).toBe(true);
    expect(await webhooks.isSignatureValid(body, oldSecret, header)).toBe(false);
  });

  test.each([
    ["by one of several secrets", paddleHeader(body, newSecret, now), [oldSecret, newSecret]],
    ["first of two, which Paddle's SDK refuses", paddleHeader(body, [newSecret, oldSecret], now), [newSecret]],
    ["last of two", paddleHeader(body, [oldSecret, newSecret], now), [newSecret]],
    ["next to one of another version", `${paddleHeader(body, newSecret, now)};h2=00`, [newSecret]],
    ["300 s old, though Paddle's SDK takes 5", paddleHeader(body, newSecret, now - 300), [newSecret]],
    ["300 s ahead", paddleHeader(body, newSecret, now + 300), [newSecret]],
  ])("is accepted %s", (_, header, secrets) => {
    expect(verify(header, secrets)).toBeUndefined();
  });

  test.each([
    ["by another secret", paddleHeader(body, oldSecret, now), /matches not the secret/],
    ["301 s old", paddleHeader(body, newSecret, now - 301), /more than 300 s/],
    ["301 s ahead", paddleHeader(body, newSecret, now + 301), /more than 300 s/],
    ["of another time", paddleHeader(body, newSecret, now).replace(`${now}`, `${now + 1}`), /matches not/],
    ["joined as Stripe does", paddleHeader(`.${body}`, newSecret, now).replace(":", ""), /matches not/],
    ["of no time", paddleHeader(body, newSecret, now).replace(/^ts=\d+;/, ""), /Paddle-Signature holds no time/],
    ["of no version", `ts=${now}`, /holds no h1 signature/],
    ["that is missing", undefined, /needs the header Paddle-Signature/],
  ])("is refused %s", (_, header, reason) => {
    expect(verify(header)).toMatch(reason);
  });

  test.each([
    ["pdl_ntfset_01abcdefgh", true],
    ["abc", false],
    ["pdl_live_apikey_01abcdefgh", false],
  ])("needs a secret like %j: %s", (secret, good) => {
    expect(paddle.secretProblem(secret) === undefined).toBe(good);
  });
});
