import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { bodySigned, freshAt, secondsIn } from "../../../../shared/storefronts/signatures.ts";
import { standard } from "../../../../shared/storefronts/standard.ts";
import { stripe } from "../../../../shared/storefronts/stripe.ts";
import { plainSecretOf, standardSecretOf } from "../../../support/secrets.ts";
import { stripeHeader } from "../../../support/stripe.ts";

const now = 1_801_389_600;
const isFresh = freshAt(() => now * 1000);
const body = '{"id":"evt_7","note":"žluťoučký kůň"}';

describe("stripe", () => {
  const [oldSecret, newSecret] = [plainSecretOf("old"), plainSecretOf("new")];
  const verify = (header: string | undefined, secrets = [newSecret], text = body) =>
    stripe.verify({ headers: { "stripe-signature": header }, body: Buffer.from(text) }, secrets, isFresh);
  const v1 = (secret: string, at = now) => stripeHeader(body, secret, at).replace(/^t=\d+,/, "");

  test("accepts a known signature", () => {
    const header = "t=1801389600,v1=fda97357e0004a812835a8ab6ed7c3a312981a704e80781d03be4ddfd2a77d55";
    expect(verify(header, ["whsec_constant"], '{"id":"evt_constant"}')).toBeUndefined();
  });

  test.each([
    ["one of several secrets", stripeHeader(body, newSecret, now), [oldSecret, newSecret]],
    ["ours first of two signatures", `t=${now},${v1(newSecret)},${v1(oldSecret)}`, [newSecret]],
    ["ours last of two signatures", `t=${now},${v1(oldSecret)},${v1(newSecret)}`, [newSecret]],
    ["a v1 after a v0 and blanks", `t=${now}, v0=${"0".repeat(64)}, ${v1(newSecret)}`, [newSecret]],
    ["300 s old", stripeHeader(body, newSecret, now - 300), [newSecret]],
    ["300 s ahead", stripeHeader(body, newSecret, now + 300), [newSecret]],
  ])("accepts %s", (_, header, secrets) => {
    expect(verify(header, secrets)).toBeUndefined();
  });

  test.each([
    ["another secret", stripeHeader(body, oldSecret, now), /matches not the secret/],
    ["301 s old", stripeHeader(body, newSecret, now - 301), /more than 300 s/],
    ["301 s ahead", stripeHeader(body, newSecret, now + 301), /more than 300 s/],
    ["another time than the signed one", `t=${now + 1},${v1(newSecret)}`, /matches not/],
    ["only a v0", `t=${now},${v1(newSecret).replace("v1", "v0")}`, /no v1/],
    ["no time", v1(newSecret), /no time/],
    ["a time in words", `t=now,${v1(newSecret)}`, /no time/],
    ["a short signature", `t=${now},v1=${v1(newSecret).slice(3, 20)}`, /matches not/],
    ["an empty signature", `t=${now},v1=`, /no v1/],
    ["a signature with more characters behind it", `t=${now},${v1(newSecret)}zz`, /matches not/],
    ["a signature and a further value", `t=${now},${v1(newSecret)}=1`, /matches not/],
    [
      "a signature in capitals, which Stripe's is not",
      `t=${now},v1=${v1(newSecret).slice(3).toUpperCase()}`,
      /matches not/,
    ],
    ["no hex at all", `t=${now},v1=${"z".repeat(64)}`, /matches not/],
    ["garbage", "=,=,==t,,v1", /no time/],
    ["no header", undefined, /needs the header/],
  ])("refuses %s", (_, header, reason) => {
    expect(verify(header)).toMatch(reason);
  });

  test("reports the number of secrets that did not match, but not the secrets", () => {
    const response = verify(stripeHeader(body, "whsec_foreign", now), [oldSecret, newSecret]);
    expect(response).toBe("the signature matches none of the 2 secrets");
  });

  test.each([
    ["whsec_12345678", true],
    ["whsec_new", true],
    ["whsec_", false],
    ["sk_live_1234567890", false],
    ["", false],
  ])("accepts %j as a secret: %s", (secret, good) => {
    expect(stripe.secretProblem(secret) === undefined).toBe(good);
  });
});

describe("standard", () => {
  const [oldSecret, newSecret] = [standardSecretOf("old"), standardSecretOf("new")];
  const sign = (secret: string, at = now) => new Webhook(secret).sign("msg_7", new Date(at * 1000), body);
  const headersOf = (signature: string | undefined, at: string | undefined = String(now), id = "msg_7") => ({
    "webhook-id": id,
    "webhook-timestamp": at,
    "webhook-signature": signature,
  });
  const verify = (headers: Record<string, string | undefined>, secrets = [newSecret]) =>
    standard.verify({ headers, body: Buffer.from(body) }, secrets, isFresh);

  test("accepts a known signature", () => {
    const headers = headersOf("v1,bF+TKKc92ELcuuYb2Oma+mjngl4hpIviTDj8Yr1kHUY=", "1801389600", "msg_constant");
    const secret = `whsec_${Buffer.from("constant constant constant 32 by").toString("base64")}`;
    const request = { headers, body: Buffer.from('{"type":"constant"}') };
    expect(standard.verify(request, [secret], isFresh)).toBeUndefined();
  });

  test.each([
    ["one of several secrets", headersOf(sign(newSecret)), [oldSecret, newSecret]],
    ["a secret without its prefix", headersOf(sign(newSecret)), [newSecret.slice(6)]],
    ["ours first of two signatures", headersOf(`${sign(newSecret)} ${sign(oldSecret)}`), [newSecret]],
    ["ours last of two signatures", headersOf(`${sign(oldSecret)} ${sign(newSecret)}`), [newSecret]],
    ["a symmetric signature after an asymmetric one", headersOf(`v1a,AAAA ${sign(newSecret)}`), [newSecret]],
    ["300 s old", headersOf(sign(newSecret, now - 300), String(now - 300)), [newSecret]],
    ["300 s ahead", headersOf(sign(newSecret, now + 300), String(now + 300)), [newSecret]],
  ])("accepts %s", (_, headers, secrets) => {
    expect(verify(headers, secrets)).toBeUndefined();
  });

  describe("under Svix's header names", () => {
    const svix = (headers: Record<string, string | undefined>) =>
      Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace("webhook-", "svix-"), value]));

    test("is accepted and refused by the same rules", () => {
      expect(verify(svix(headersOf(sign(newSecret))))).toBeUndefined();
      expect(verify(svix(headersOf(sign(oldSecret))))).toMatch(/matches not/);
      expect(verify(svix(headersOf(sign(newSecret, now - 301), String(now - 301))))).toMatch(/more than 300 s/);
      expect(verify(svix(headersOf(undefined)))).toBe("needs the headers svix-id, svix-timestamp, svix-signature");
    });

    test("does not verify a request that also has an unsigned webhook-id", () => {
      expect(verify({ ...svix(headersOf(sign(newSecret))), "webhook-id": "msg_other" })).toMatch(/needs the headers/);
    });
  });

  test.each([
    ["another secret", headersOf(sign(oldSecret)), /matches not the secret/],
    ["301 s old", headersOf(sign(newSecret, now - 301), String(now - 301)), /more than 300 s/],
    ["301 s ahead", headersOf(sign(newSecret, now + 301), String(now + 301)), /more than 300 s/],
    ["another id than the signed one", headersOf(sign(newSecret), String(now), "msg_8"), /matches not/],
    ["another time than the signed one", headersOf(sign(newSecret), String(now + 1)), /matches not/],
    ["an asymmetric signature alone", headersOf("v1a,AAAA"), /no v1/],
    ["a signature without a version", headersOf(sign(newSecret).slice(3)), /no v1/],
    ["an empty signature", headersOf("v1,"), /matches not/],
    ["a signature with more characters behind it", headersOf(`${sign(newSecret)}=`), /matches not/],
    ["a signature without its end", headersOf(sign(newSecret).replace(/=$/, "")), /matches not/],
    ["a signature with what is no base64 in it", headersOf(sign(newSecret).replace("v1,", "v1,!")), /matches not/],
    ["a time that is no whole number", headersOf(sign(newSecret), `${now}.5`), /not Unix seconds/],
    ["no signature", headersOf(undefined), /needs the headers/],
    ["no headers", {}, /needs the headers/],
  ])("refuses %s", (_, headers, reason) => {
    expect(verify(headers)).toMatch(reason);
  });

  test.each([
    [newSecret, undefined],
    [newSecret.slice(6), undefined],
    ["v1,whsec_AAAA", /signatures/],
    ["whsec_not base64!", /base64/],
    ["whsec_", /base64/],
    ["whsec_QUJD", /too short/],
    ["", /base64/],
  ])("checks the format of the secret %j", (secret, flaw) => {
    const found = standard.secretProblem(secret);
    if (flaw) expect(found).toMatch(flaw);
    else expect(found).toBeUndefined();
  });
});

describe.each(["hex", "base64"] as const)("a signature of only the body, in %s", (encoding) => {
  const hmac = (secret: string, text = body) => createHmac("sha256", secret).update(text).digest(encoding);
  const verify = (signature: string | undefined, secrets = ["new"]) =>
    bodySigned("X-Signature", encoding)(
      { headers: { "x-signature": signature }, body: Buffer.from(body) },
      secrets,
      () => false,
    );

  test("is accepted by any of the secrets, whatever the time", () => {
    expect(verify(hmac("new"))).toBeUndefined();
    expect(verify(hmac("old"), ["new", "old"])).toBeUndefined();
  });

  test.each([
    ["another secret", hmac("old"), "the signature matches not the secret"],
    ["another body", hmac("new", "{}"), "the signature matches not the secret"],
    ["the other encoding", Buffer.from(hmac("new"), encoding).toString(encoding === "hex" ? "base64" : "hex"), /not/],
    ["a part of the signature", hmac("new").slice(0, 40), /matches not/],
    ["an empty header", "", "needs the header X-Signature"],
    ["no header", undefined, "needs the header X-Signature"],
  ])("is refused for %s", (_, signature, reason) => {
    expect(verify(signature)).toMatch(reason);
  });
});

test("a signature is timely by any of several clocks", () => {
  const either = freshAt(
    () => 1_000_000,
    () => 5_000_000_000,
  );
  expect([1000, 5_000_000, 2_500_000].map(either)).toEqual([true, true, false]);
});

test.each([
  ["1801389600", 1_801_389_600],
  ["01801389600", 1_801_389_600],
  ["", undefined],
  ["1e9", undefined],
  ["-1", undefined],
  [" 1", undefined],
  ["1801389600.0", undefined],
  ["9".repeat(13), undefined],
  [undefined, undefined],
])("reads %j in a header as %s seconds", (text, seconds) => {
  expect(secondsIn(text)).toBe(seconds);
});
