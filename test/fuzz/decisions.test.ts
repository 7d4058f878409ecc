import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSecrets, SecretsError } from "../../shared/aws/secrets.ts";
import { type Catalog, CatalogError, parseCatalog } from "../../shared/licensing/catalog.ts";
import { decide as decideNext } from "../../shared/licensing/decide.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { storefrontNames } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { formatReason } from "../../shared/licensing/reasons.ts";
import { newSubscription, type Slot } from "../../shared/licensing/subscription.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import { histories, instants } from "../support/arbitraries.ts";
import { catalogJson, catalogWith, slot } from "../support/events.ts";
import { mutatedJson, nested, odd, oddTexts, runs } from "../support/mutations.ts";
import { authinfoWith, canary, plainSecretOf } from "../support/secrets.ts";
import { headersOf, signerOf } from "../support/signers.ts";

const days = fc.constantFrom("2027-12-31", "2028-02-29", "2000-01-01", "2199-12-31");
const slots: fc.Arbitrary<Slot[]> = fc.array(
  fc
    .record({
      plan: fc.constantFrom("vm-monthly", "vm-trial", "gone"),
      expiry: days,
      suspended: fc.boolean(),
      trial: fc.boolean(),
    })
    .map((of) => slot(of)),
  { maxLength: 1 },
);

const decide = (events: readonly Event[], slots: Slot[], catalog: Catalog, now: string) =>
  decideNext({ ...events.reduce(fold, newSubscription("standard", "1")), slots }, catalog, now);

/** Checks that a decision can be stored and sent: its numbers are whole, its times are valid, its reasons have a text. */
function expectSound(decision: ReturnType<typeof decide>): void {
  for (const reason of decision.attention) expect(formatReason(reason)).not.toMatch(/undefined|\[object/);
  if ("until" in decision && decision.until !== undefined) expect(decision.until).toMatch(/^\d{4}-.*Z$/);
  if (decision.kind !== "change") return;
  const { change } = decision;
  for (const value of "addons" in change ? Object.values(change.addons) : []) {
    expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
  }
  const { spends } = { spends: undefined, ...change };
  if (spends) {
    expect(spends.from).toMatch(instant);
    expect(spends.to > spends.from).toBe(true);
  }
  if ("expiry" in change) expect(change.expiry).toMatch(/^\d{4}-\d\d-\d\d$/);
}

const instant = /^2[01]\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Checks what `fold` and the table expect of an event from any storefront. */
function expectWellFormed(event: Event): void {
  expect(event.occurredAt).toMatch(instant);
  if (event.items) {
    expect(event.items.asOf).toMatch(/^(2[01]|19)\d\d-.*Z$/);
    for (const { names, quantity } of event.items.list) {
      expect(names.length).toBeGreaterThan(0);
      for (const name of names) expect(name).not.toBe("");
      if (quantity !== undefined) expect(Number.isSafeInteger(quantity) && quantity >= 0).toBe(true);
    }
  }
  if ("payment" in event && event.payment !== undefined) {
    expect(event.payment).not.toBe("");
    expect(Buffer.byteLength(event.payment)).toBeLessThanOrEqual(1000);
  }
  if (event.type === "payment.succeeded") {
    const { covers } = event;
    if ("through" in covers) expect(covers.through).toMatch(instant);
    else if ("periodFrom" in covers) expect(covers.periodFrom).toMatch(instant);
    else {
      const count = "months" in covers ? covers.months : covers.intervals;
      expect(Number.isSafeInteger(count) && count > 0).toBe(true);
    }
  }
  if (event.type === "subscription.cancel_scheduled" && event.endsAt) expect(event.endsAt).toMatch(instant);
}

/** The headers of one webhook with at most one unsigned header changed or removed, or arbitrary headers. */
const headersAmong = (
  all: Record<string, string>[],
  signed: string[],
): fc.Arbitrary<Record<string, string | undefined>> => {
  const names = ["__proto__", ...new Set(all.flatMap(Object.keys))].filter((name) => !signed.includes(name));
  const value = fc.oneof(oddTexts, fc.constantFrom("soon", undefined));
  const changes = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 1, noNullPrototype: true });
  return fc.oneof(
    fc.tuple(fc.constantFrom(...all), changes).map(([headers, change]) => ({ ...headers, ...change })),
    fc.dictionary(fc.string(), oddTexts),
  );
};

describe.each(storefrontNames)("a signed body of %s with any content", (name) => {
  const storefront = storefrontNamed(name) ?? expect.fail(name);
  const { webhooks, counts } = signerOf(name);
  const sent = webhooks.map(({ body, headers }) => ({
    // Removes values that JSON cannot express.
    body: JSON.parse(JSON.stringify(body)) as fc.JsonValue,
    headers: headersOf(name, { headers }, JSON.stringify(body), new Date("2027-01-31T10:00:00Z")),
  }));
  const headers = headersAmong(
    sent.map(({ headers }) => headers),
    Object.keys(counts),
  );

  test("results in 1 to 100 well-formed events", () => {
    const values = fc.oneof(odd, fc.oneof(...sent.map(({ body }) => mutatedJson(body))), fc.jsonValue());
    fc.assert(
      fc.property(values, headers, (body, headers) => {
        const events = storefront.events(body, headers);
        expect(events.length).toBeGreaterThan(0);
        expect(events.length).toBeLessThanOrEqual(100);
        for (const one of events) {
          expect(one.type).toBeTypeOf("string");
          if (one.occurredAt !== undefined) expect(one.occurredAt).toMatch(instant);
          if (one.kind === "facts") one.events.forEach(expectWellFormed);
          else expect(one.reason).not.toBe("");
        }
      }),
      { numRuns: runs(3000) },
    );
  });

  test("can be folded, and leads to a valid decision", () => {
    const webhook = fc.oneof(
      ...sent.map(({ body, headers }) => fc.record({ body: mutatedJson(body), headers: fc.constant(headers) })),
      fc.constantFrom(...sent),
    );
    const known = fc.array(webhook, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(known, slots, instants, (given, slots, now) => {
        const events = given
          .flatMap(({ body, headers }) => storefront.events(body, headers))
          .flatMap((event) => (event.kind === "facts" ? event.events : []));
        expectSound(decide(events, slots, catalogWith(), now));
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe("catalogs", () => {
  const catalogs = fc.oneof(
    {
      weight: 8,
      arbitrary: mutatedJson({ ...catalogJson, policy: catalogWith().policy, limits: catalogWith().limits }),
    },
    { weight: 1, arbitrary: odd },
  );

  test("with any content are refused with a CatalogError, or give every history a valid decision", () => {
    fc.assert(
      fc.property(catalogs, histories, slots, instants, (value, events, slots, now) => {
        let catalog: Catalog;
        try {
          catalog = parseCatalog(value);
        } catch (error) {
          expect(error).toBeInstanceOf(CatalogError);
          return;
        }
        expectSound(decide(events, slots, catalog, now));
      }),
      { numRuns: runs(4000) },
    );
  });

  test.each(["graceDays", "retentionDays", "renewAheadDays", "slackDays"])(
    "allow %s up to 3660 days, which still gives valid dates",
    (name) => {
      const largest = parseCatalog({ ...catalogJson, policy: { [name]: 3660 } });
      fc.assert(
        fc.property(histories, slots, instants, (events, slots, now) =>
          expectSound(decide(events, slots, largest, now)),
        ),
        { numRuns: runs(200) },
      );
      expect(() => parseCatalog({ ...catalogJson, policy: { [name]: 3661 } })).toThrow(`policy.${name} is 3661`);
    },
  );
});

test("secrets with any content are read, or refused with a SecretsError that contains none of them", () => {
  const secrets = {
    billmgr: authinfoWith(),
    storefronts: { stripe: [plainSecretOf("1"), plainSecretOf("2")], standard: [plainSecretOf("standard")] },
  };
  const values = fc.oneof({ weight: 4, arbitrary: mutatedJson(secrets) }, { weight: 1, arbitrary: odd });
  fc.assert(
    fc.property(values, (value) => {
      try {
        const read = parseSecrets(value);
        expect(read.billmgr).toMatch(/^[^:]+:./s);
        for (const list of Object.values(read.storefronts)) for (const one of list) expect(one).not.toBe("");
      } catch (error) {
        expect(error).toBeInstanceOf(SecretsError);
        expect((error as Error).message).not.toBe("");
        expect((error as Error).message).not.toContain(canary);
      }
    }),
    { numRuns: runs(3000) },
  );
});

test.each([
  ["a catalog", parseCatalog, CatalogError],
  ["secrets", parseSecrets, SecretsError],
] as const)("%s of deeply nested lists is refused with a proper error", (_, parse, expected) => {
  for (const value of [nested(100_000), { plans: nested(100_000) }, { storefronts: { stripe: nested(100_000) } }]) {
    expect(() => parse(value)).toThrow(expected);
  }
});
