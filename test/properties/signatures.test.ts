import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomSecrets, readSecrets } from "../../local/options.ts";
import { storefrontNames } from "../../shared/licensing/event.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import { freshAt } from "../../shared/storefronts/signatures.ts";
import { signPolarAsOfOld } from "../support/polar.ts";
import { plainSecretOf } from "../support/secrets.ts";
import { type Signer, signerOf, signers } from "../support/signers.ts";

const now = new Date("2027-01-31T10:00:00Z");
const seconds = String(now.getTime() / 1000);
const isFresh = freshAt(() => now.getTime());

const cases: (Signer & { name: string; of: string })[] = [
  ...Object.entries(signers).map(([name, signer]) => ({ ...signer, name, of: name })),
  {
    ...signers.polar,
    name: "polar, with a secret of before 2026-09-08",
    of: "polar",
    secret: plainSecretOf("polar", "polar_whs_"),
    sign: (body, _, secret = "") => signPolarAsOfOld(body, secret, Number(seconds)),
  },
];

test("npm start generates a valid secret for each storefront", () => {
  const { storefronts } = readSecrets(randomSecrets());
  expect(Object.keys(storefronts)).toEqual(storefrontNames);
  for (const name of storefrontNames) {
    const [secret = ""] = storefronts[name] ?? [];
    const request = { headers: signerOf(name).sign("{}", now, secret), body: Buffer.from("{}") };
    expect([name, storefrontNamed(name)?.verify(request, [secret], isFresh)]).toEqual([name, undefined]);
  }
});

const flipped = (bytes: Buffer, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  const at = bit % (copy.length * 8);
  copy[at >> 3] = (copy[at >> 3] ?? 0) ^ (1 << (at & 7));
  return copy;
};

describe.each(cases)("$name", ({ of, secret, counts, signsBody, sign }) => {
  const storefront = storefrontNamed(of) ?? expect.fail(of);
  const bodies = fc.string({ unit: "grapheme", minLength: 1 });

  test("accepts signatures of the vendor's library", () => {
    fc.assert(
      fc.property(bodies, (text) => {
        const request = { headers: sign(text, now, secret), body: Buffer.from(text) };
        expect(storefront.verify(request, ["whsec_b3RoZXJvdGhlcm90aGVy", secret], isFresh)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test.runIf(signsBody)("refuses a body in which one bit differs", () => {
    fc.assert(
      fc.property(bodies, fc.nat(), (text, bit) => {
        const request = { headers: sign(text, now, secret), body: flipped(Buffer.from(text), bit) };
        expect(storefront.verify(request, [secret], isFresh)).toMatch(/matches not the secret/);
      }),
      { numRuns: 300 },
    );
  });

  test.runIf(signsBody)("refuses a signature in which one bit differs, and a part of one", () => {
    fc.assert(
      fc.property(bodies, fc.nat(255), fc.nat(31), (text, bit, length) => {
        const headers: Record<string, string> = sign(text, now, secret);
        const [header, counting] =
          Object.entries(counts).find(([name]) => /signature|hmac/.test(name)) ?? expect.fail();
        const value = headers[header] ?? "";
        const signature = counting.exec(value)?.[1] ?? "";
        const encoding = /^[0-9a-f]{64}$/.test(signature) ? "hex" : "base64";
        const bytes = Buffer.from(signature, encoding);
        for (const wrong of [flipped(bytes, bit), bytes.subarray(0, length)]) {
          const request = {
            headers: { ...headers, [header]: value.replace(signature, wrong.toString(encoding)) },
            body: Buffer.from(text),
          };
          expect(storefront.verify(request, [secret], isFresh)).not.toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("refuses any other secret", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 64 }), (key) => {
        const other = `whsec_${Buffer.from(key).toString("base64")}`;
        fc.pre(other !== secret);
        const request = { headers: sign("{}", now, other), body: Buffer.from("{}") };
        expect(storefront.verify(request, [secret], isFresh)).not.toBeUndefined();
      }),
      { numRuns: 200 },
    );
  });

  test("does not throw on any headers", () => {
    const values = fc.option(fc.string({ unit: "binary" }), { nil: undefined });
    const headers = fc.record({
      "stripe-signature": fc.oneof(
        values,
        values.map((value) => `t=${seconds},v1=${value}`),
      ),
      "paddle-signature": fc.oneof(
        values,
        values.map((value) => `ts=${seconds};h1=${value}`),
      ),
      authorization: fc.oneof(
        values,
        values.map((value) => `Basic ${value}`),
      ),
      "x-signature": values,
      "x-shopify-hmac-sha256": values,
      "shopify-hmac-sha256": values,
      "x-wc-webhook-signature": values,
      "x-fs-signature": values,
      "hb-signature": values,
      "hb-timestamp": fc.oneof(values, fc.constant(seconds)),
      "webhook-id": values,
      "webhook-timestamp": fc.oneof(values, fc.constant(seconds)),
      "svix-id": values,
      "svix-timestamp": fc.oneof(values, fc.constant(seconds)),
      "svix-signature": fc.oneof(
        values,
        values.map((value) => `v1,${value}`),
      ),
      "webhook-signature": fc.oneof(
        values,
        values.map((value) => `v1,${value}`),
      ),
    });
    fc.assert(
      fc.property(headers, (given) => {
        expect(storefront.verify({ headers: given, body: Buffer.from("{}") }, [secret], isFresh)).toBeTypeOf("string");
      }),
      { numRuns: 500 },
    );
  });
});
