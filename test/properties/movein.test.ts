import fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../../shared/licensing/decide.ts";
import { demandsOf } from "../../shared/licensing/demand.ts";
import { fold } from "../../shared/licensing/fold.ts";
import {
  type ImportedLicense,
  importEvent,
  importEventIn,
  importLicenses,
  quantityShown,
} from "../../shared/licensing/import.ts";
import { newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import { addDays, dayOf } from "../../shared/licensing/time.ts";
import { cancelled, catalogWith, changed, itemsOf, paid, type Sold, subscriptionOf, utc } from "../support/events.ts";

const catalog = catalogWith();
const now = utc("2027-01-01T10:00");
const began = newSubscription("standard", "shop-1");

const row = fc.record({
  plan: fc.constantFrom("vm-monthly", "vm-quarterly", "vm-yearly", "vm-each", "dci-monthly"),
  quantity: fc.integer({ min: 1, max: 50 }),
});
const rows = fc.array(row, { minLength: 1, maxLength: 6 });
const days = fc.integer({ min: 1, max: 400 });
type Row = { plan: string; quantity: number };

/** The licenses as billmgr would show them if this system had ordered them. */
function held(sold: readonly Row[], expiry: string): ImportedLicense[] {
  return sold.map(({ plan, quantity }, i) => {
    const ordered = demandsOf(subscriptionOf(changed("2026-12-01", [plan, quantity])), catalog);
    const addons = ordered.demands[0]?.addons ?? {};
    const license = { elid: String(100 + i), family: "platform", trial: false, suspended: false, addons, expiry };
    return { plan, license: { ...license, imported: true as const } };
  });
}

const soldAs = (sold: readonly Row[]): Sold[] => {
  const each = sold.filter(({ plan }) => plan === "vm-each").length;
  const others = sold.filter(({ plan }) => plan !== "vm-each").map(({ plan, quantity }): Sold => [plan, quantity]);
  return each > 0 ? [...others, ["vm-each", each]] : others;
};

function movedIn(sold: readonly Row[], expiry: string, into: Subscription = began) {
  const licenses = held(sold, expiry);
  const event = importEvent(into, { sold: itemsOf(...soldAs(sold)), licenses, customer: {} });
  return { licenses, event, moved: importLicenses(fold(into, event), licenses, catalog, now) };
}

test("an imported license needs no call before it ends", () => {
  fc.assert(
    fc.property(rows, days, (sold, ahead) => {
      const expiry = addDays(dayOf(now), ahead);
      const { licenses, moved } = movedIn(sold, expiry);
      expect(moved.slots.map(({ license }) => license?.elid).sort()).toEqual(licenses.map((one) => one.license.elid));
      expect(decide(moved, catalog, now)).toMatchObject({ kind: "settled" });
    }),
  );
});

test("a payment for another period prolongs the imported license, and orders nothing", () => {
  fc.assert(
    fc.property(row, (sold) => {
      const { moved } = movedIn([sold], "2027-01-05");
      const further = fold(moved, paid("2027-01-04", { through: "2028-01-05" }));
      expect(decide(further, catalog, utc("2027-01-04"))).toMatchObject({ change: { kind: "prolong", elid: "100" } });
    }),
  );
});

test("the facts of a storefront override the fact of an import, in any order", () => {
  fc.assert(
    fc.property(rows, (sold) => {
      const { event } = movedIn(sold, "2027-02-01");
      for (const fact of [changed("2026-12-01", ["dci-monthly", 7]), cancelled("2026-12-31")]) {
        expect(fold(fold(began, event), fact)).toEqual(fold(fold(began, fact), event));
      }
      expect(fold(fold(began, changed("2026-12-01", ["dci-monthly", 7])), event).items?.value).toEqual(
        itemsOf(["dci-monthly", 7]),
      );
    }),
  );
});

test("the addons of a license show the ordered quantity", () => {
  fc.assert(
    fc.property(row, ({ plan, quantity }) => {
      const [one] = held([{ plan, quantity }], "2027-02-01");
      const counts = catalog.plans[plan]?.quantity === "addons" && plan !== "dci-monthly";
      expect(quantityShown(catalog, plan, one?.license.addons ?? {})).toBe(counts ? quantity : 1);
    }),
  );
});

test("an import does not revive an ended subscription", () => {
  const { moved } = movedIn(
    [{ plan: "vm-monthly", quantity: 1 }],
    "2027-02-01",
    subscriptionOf(cancelled("2026-12-31")),
  );
  expect(decide(moved, catalog, now)).toMatchObject({ change: { kind: "suspend" } });
});

test("importEventIn returns an event that folds to the same subscription, among any other facts", () => {
  const otherFacts = fc.array(
    fc.constantFrom(
      changed("2026-12-01", ["dci-monthly", 7]),
      changed("2026-12-02", "vm-monthly"),
      cancelled("2026-12-31"),
      paid("2026-12-20", { through: "2027-03-01" }, { items: [["vm-yearly", 2]] }),
      paid("2026-12-21", { months: 1 }),
    ),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(rows, otherFacts, fc.nat(5), fc.boolean(), (sold, events, at, isNamed) => {
      const customer = isNamed ? { id: "c-7", email: "m@example.com" } : {};
      const licenses = held(sold, "2027-02-01");
      const fact = importEvent(began, { sold: itemsOf(...soldAs(sold)), licenses, customer });
      const folded = [...events.slice(0, at), fact, ...events.slice(at)].reduce(fold, began);
      const shown = importEventIn(folded, fact.id);
      expect(shown).toBeDefined();
      if (shown) expect([...events, shown].reduce(fold, began)).toEqual(folded);
      expect(importEventIn(folded, "import-1")).toBeUndefined();
    }),
  );
});

test.each([{ months: 1 }, { intervals: 1 }])(
  "an import after a payment that covers %j is refused without paidThrough",
  (covers) => {
    const sold = {
      sold: itemsOf(["vm-monthly", 1]),
      licenses: held([{ plan: "vm-monthly", quantity: 1 }], "2027-01-23"),
      customer: {},
    };
    const known = subscriptionOf(paid("2026-12-23", covers));
    expect(() => importEvent(known, sold)).toThrow(
      "set paidThrough to the day until which it was paid before the storefront's payments",
    );
    expect(importEvent(known, { ...sold, paidThrough: utc("2026-12-23") })).toMatchObject({
      type: "payment.succeeded",
    });
    for (const exact of [{ through: "2027-01-23" }, { periodFrom: "2026-12-23" }]) {
      expect(importEvent(subscriptionOf(paid("2026-12-23", exact)), sold)).toMatchObject({
        type: "subscription.changed",
      });
    }
  },
);
