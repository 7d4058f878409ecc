import { webhooks } from "@polar-sh/sdk/2026-10";
import { describe, expect, test } from "vitest";
import { polar } from "../../../../shared/storefronts/polar.ts";
import { freshAt } from "../../../../shared/storefronts/signatures.ts";
import { signPolar, signPolarAsOfOld } from "../../../support/polar.ts";
import { standardSecretOf } from "../../../support/secrets.ts";

describe("a signature", () => {
  const [oldSecret, newSecret] = [standardSecretOf("old"), standardSecretOf("new")];
  const named = "polar_whs_synthetic_0123456789abcdef";
  const body = '{"type":"order.paid","note":"žluťoučký kůň"}';
  const now = 1_801_389_600;
  const verify = (headers: Record<string, string | undefined>, secrets: string[]) =>
    polar.verify(
      { headers, body: Buffer.from(body) },
      secrets,
      freshAt(() => now * 1000),
    );

  test.each([
    ["of today", signPolar, newSecret],
    ["of before 2026-09-08", signPolarAsOfOld, newSecret],
    ["of before 2026-09-08 with Polar's own prefix", signPolarAsOfOld, named],
  ])("by a secret %s is one to us and to Polar's own SDK", async (_, sign, secret) => {
    expect(verify(sign(body, secret, now), [secret])).toBeUndefined();
    const headers = sign(body, secret, Math.floor(Date.now() / 1000));
    await expect(webhooks.validateEvent(body, headers, secret)).resolves.toMatchObject({ type: "order.paid" });
  });

  const signed = signPolar(body, newSecret, now);
  const both = `${signPolar(body, oldSecret, now)["webhook-signature"]} ${signed["webhook-signature"]}`;
  test.each([
    ["by one of several secrets", signed, [oldSecret, newSecret]],
    ["last of two", { ...signed, "webhook-signature": both }, [newSecret]],
    ["300 s old", signPolar(body, newSecret, now - 300), [newSecret]],
    ["300 s ahead", signPolarAsOfOld(body, newSecret, now + 300), [newSecret]],
  ])("is accepted %s", (_, headers, secrets) => {
    expect(verify(headers, secrets)).toBeUndefined();
  });

  test.each([
    ["by another secret", signPolar(body, oldSecret, now), /matches not the secret/],
    ["by another secret of old", signPolarAsOfOld(body, oldSecret, now), /matches not the secret/],
    ["of another id", { ...signed, "webhook-id": "msg_2" }, /matches not/],
    ["of another time", { ...signed, "webhook-timestamp": `${now + 1}` }, /matches not/],
    ["301 s old", signPolar(body, newSecret, now - 301), /more than 300 s/],
    ["301 s ahead", signPolar(body, newSecret, now + 301), /more than 300 s/],
    ["without an id", { ...signed, "webhook-id": undefined }, /needs the headers/],
  ])("is refused %s", (_, headers, reason) => {
    expect(verify(headers, [newSecret])).toMatch(reason);
  });

  test("is accepted by a key of sixteen bytes", () => {
    const secret = `whsec_${Buffer.from("sixteen bytes ok").toString("base64")}`;
    expect(verify(signPolar(body, secret, now), [secret])).toBeUndefined();
  });

  test("is refused if the decoded key is too short, although the secret is long enough", () => {
    const secret = `whsec_${"QUJD".repeat(2)}`;
    expect(polar.secretProblem(secret)).toBeUndefined();
    expect(verify(signPolar(body, secret, now), [secret])).toMatch(/matches not/);
    expect(verify(signPolarAsOfOld(body, secret, now), [secret])).toBeUndefined();
  });

  test.each([
    [newSecret, true],
    [named, true],
    ["my own secret", true],
    ["whsec_QUI", false],
    ["", false],
  ])("needs a secret like %j: %s", (secret, good) => {
    expect(polar.secretProblem(secret) === undefined).toBe(good);
  });
});
