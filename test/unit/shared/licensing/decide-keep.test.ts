import { describe, expect, test } from "vitest";
import type { Event } from "../../../../shared/licensing/event.ts";
import type { License, Slot, Subscription } from "../../../../shared/licensing/subscription.ts";
import {
  cancelScheduled,
  changed,
  decide,
  license,
  licensed,
  paid,
  paused,
  refunded,
  resumed,
  slot,
  utc,
} from "../../../support/events.ts";

/** Paid through a day, with a license that expires on another. */
const held = (
  through: string,
  expiry: string,
  of: Partial<License & Omit<Slot, "license">> = {},
  plan = "vm-monthly",
) => licensed([slot({ plan, expiry, ...of })], paid("2027-01-01", { through }, { items: [plan], payment: "p" }));

const prolong = (expiry: string, of: object = {}) => ({ kind: "change", change: { kind: "prolong", expiry, ...of } });

describe("renewal on payment", () => {
  test("buys the period that was paid immediately, and spends it", () => {
    expect(decide(held("2027-03-01", "2027-02-01"), "2027-01-05")).toEqual({
      kind: "change",
      why: "paid through 2027-03-01, licensed until 2027-02-01",
      change: {
        kind: "prolong",
        slot: 1,
        elid: "101",
        family: "platform",
        plan: "vm-monthly",
        period: 1,
        expiry: "2027-03-01",
        spends: { from: utc("2027-02-01"), to: utc("2027-03-01") },
      },
    });
  });

  test.each([
    ["the month ends drift by three days, February paid", "2027-03-31", "2027-02-28", "2027-03-28"],
    ["half a month is paid", "2027-02-15", "2027-02-01", "2027-03-01"],
    ["a leap February", "2028-02-29", "2028-01-31", "2028-02-29"],
  ])("rounds to the nearest period: %s", (_, through, expiry, to) => {
    expect(decide(held(through, expiry), "2027-01-05")).toMatchObject(prolong(to));
  });

  test.each([
    ["less than half a month is paid", "2027-02-14", "2027-02-01"],
    ["only the drift of month ends is left", "2027-03-31", "2027-03-28"],
    ["the license reaches further", "2027-02-01", "2027-03-01"],
    ["the license reaches as far", "2027-02-01", "2027-02-01"],
  ])("buys nothing yet: %s", (_, through, expiry) => {
    expect(decide(held(through, expiry), "2027-01-05")).toMatchObject({ kind: "settled" });
  });

  test("buys the period of the plan that is sold now", () => {
    expect(decide(held("2028-02-01", "2027-02-01", {}, "vm-yearly"), "2027-01-05")).toMatchObject(
      prolong("2028-02-01", { plan: "vm-yearly", period: 12 }),
    );
  });

  test("buys the remaining days near expiry", () => {
    const drifted = held("2027-03-31", "2027-03-28");
    expect(decide(drifted, "2027-03-25")).toEqual({ kind: "settled", until: utc("2027-03-26") });
    expect(decide(drifted, "2027-03-26")).toMatchObject({
      ...prolong("2027-04-28"),
      why: "paid through 2027-03-31, licensed until 2027-03-28, which is near",
    });
  });

  test("does not buy them when the subscription is set to end and they are few", () => {
    const ending = (through: string) => ({
      ...held(through, "2027-03-28"),
      end: licensed([], cancelScheduled("2027-01-02")).end,
    });
    expect(decide(ending("2027-03-31") as Subscription, "2027-03-27")).toMatchObject({ kind: "settled" });
    expect(decide(ending("2027-04-01") as Subscription, "2027-03-27")).toMatchObject(prolong("2027-04-28"));
    const patient = decide(ending("2027-04-01") as Subscription, "2027-03-27", { slackDays: 4 });
    expect(patient).toMatchObject({ kind: "settled" });
  });

  test("buys one month after another for a longer payment", () => {
    expect(decide(held("2027-06-01", "2027-02-01"), "2027-01-05")).toMatchObject(prolong("2027-03-01"));
    expect(decide(held("2027-06-01", "2027-05-01"), "2027-01-05")).toMatchObject(prolong("2027-06-01"));
  });
});

describe("renewal before expiry", () => {
  const policy = { renew: "before_expiry" as const, renewAheadDays: 5 };

  test("waits until so many days before expiry, then buys one period", () => {
    const yearly = held("2028-01-01", "2027-02-01");
    expect(decide(yearly, "2027-01-05", policy)).toEqual({ kind: "settled", until: utc("2027-01-27") });
    expect(decide(yearly, "2027-01-27", policy)).toMatchObject(prolong("2027-03-01"));
    expect(decide(held("2028-01-01", "2027-03-01"), "2027-01-27", policy)).toEqual({
      kind: "settled",
      until: utc("2027-02-24"),
    });
  });

  test("counts a part of a day as a whole one", () => {
    const yearly = held("2028-01-01", "2027-02-01");
    expect(decide(yearly, "2027-01-05", { ...policy, renewAheadDays: 1.5 })).toMatchObject({
      until: utc("2027-01-30"),
    });
  });

  test("buys nothing where no more is paid", () => {
    expect(decide(held("2027-02-01", "2027-02-01"), "2027-01-30", policy)).toMatchObject({ kind: "settled" });
  });
});

describe("renewal spends paid time", () => {
  const january = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] });

  test("F5: time that a purchase spent already buys nothing, though the license ends before it", () => {
    const spent = (spentThrough: string) => {
      const here = held("2027-03-01", "2027-02-01");
      return { ...here, slots: here.slots.map((one) => ({ ...one, spentThrough: utc(spentThrough) })) };
    };
    expect(decide(spent("2027-03-01"), "2027-01-05")).toMatchObject({ kind: "settled" });
    expect(decide(spent("2027-02-20"), "2027-01-05")).toMatchObject({ kind: "settled", until: utc("2027-01-30") });
    expect(decide(spent("2027-02-10"), "2027-01-05")).toMatchObject({
      change: { kind: "prolong", expiry: "2027-03-01", spends: { from: utc("2027-02-10"), to: utc("2027-03-10") } },
    });
  });

  test.each([
    ["within the grace", "2027-02-03", "2027-02-01"],
    ["weeks later", "2027-02-20", "2027-02-01"],
  ])("F16: a renewal that is stated after its period is over buys nothing: %s", (_, at, from) => {
    const renewal = paid(at, { from, through: "2027-02-02" });
    const late = licensed([slot({ expiry: "2027-01-15" })], january, renewal);
    expect(decide(late, at)).not.toMatchObject({ change: { kind: "prolong" } });
    expect(decide(late, "2027-02-01T12:00")).toMatchObject({ change: { kind: "prolong" } });
  });

  test("F16: a resumption after half a year of a pause buys none of it", () => {
    const half = licensed(
      [slot({ suspended: true })],
      january,
      paused("2027-01-20"),
      paid("2027-02-01", { from: "2027-02-01", through: "2027-08-01" }),
      resumed("2027-08-02"),
    );
    expect(decide(half, "2027-08-02")).toMatchObject({ kind: "settled" });
  });
});

describe("a license that was exchanged within time that is spent", () => {
  const year = paid("2027-01-01", { through: "2028-01-01" }, { items: ["dci-monthly"] });
  const spentThrough = utc("2028-01-01");
  const own = {
    ...slot({ product: "dcimanager6", plan: "dci-monthly", addons: {}, expiry: "2027-04-10" }),
    spentThrough,
  };
  const exchanged = (expiry = "2027-04-10", exchanges: string[] = [], ...events: Event[]) => ({
    ...licensed([{ ...own, license: license({ addons: {}, expiry }), exchanged: true }], year, ...events),
    exchanges: exchanges.map(utc),
  });

  test("is prolonged near its expiry, without spending any", () => {
    expect(decide(exchanged(), "2027-03-10")).toEqual({ kind: "settled", until: utc("2027-04-08") });
    const prolongs = decide(exchanged(), "2027-04-08");
    expect(prolongs).toMatchObject({ change: { kind: "prolong", expiry: "2027-05-10" } });
    expect(prolongs).not.toHaveProperty("change.spends");
  });

  test("is prolonged for a remainder as well, unless the subscription is set to end and it is short", () => {
    expect(decide(exchanged("2027-12-20"), "2027-12-18")).toMatchObject({ change: { kind: "prolong" } });
    const ending = (expiry: string) => exchanged(expiry, [], cancelScheduled("2027-06-01"));
    expect(decide(ending("2027-12-28"), "2027-12-26")).toMatchObject({ change: { kind: "prolong" } });
    expect(decide(ending("2027-12-29"), "2027-12-27")).toMatchObject({ kind: "settled" });
  });

  test("counts against the limit", () => {
    const often = ["2027-03-10", "2027-03-20", "2027-04-01"];
    expect(decide(exchanged("2027-04-10", often), "2027-04-08")).toMatchObject({
      kind: "settled",
      attention: [{ code: "exchange_limit", limit: 3, change: { kind: "prolong" } }],
    });
    expect(decide(exchanged("2027-04-10", ["2027-03-07", ...often.slice(1)]), "2027-04-08")).toMatchObject({
      kind: "change",
    });
  });

  test("spends the next payment as any other", () => {
    const next = exchanged("2028-01-01");
    const { payments } = licensed([], year, paid("2027-12-20", { from: "2028-01-01", through: "2028-02-01" }));
    expect(decide({ ...next, payments }, "2027-12-20")).toMatchObject({
      change: { kind: "prolong", spends: { from: utc("2028-01-01"), to: utc("2028-02-01") } },
    });
  });

  test("is another case than a license for which the time was spent", () => {
    expect(decide(licensed([own], year), "2027-04-09")).toMatchObject({ kind: "settled" });
  });
});

describe("resumption", () => {
  const suspended = { suspended: true };

  test("comes when the customer is entitled again", () => {
    expect(decide(held("2027-02-01", "2027-02-01", suspended), "2027-01-05")).toMatchObject({
      change: { kind: "resume", elid: "101" },
      why: "entitled again",
    });
  });

  test("comes after a prolong: an expired license does not resume", () => {
    expect(decide(held("2027-03-01", "2027-02-01", suspended), "2027-02-05")).toMatchObject(prolong("2027-03-01"));
  });

  test("comes after a refund that was reversed", () => {
    const reversed = held("2027-02-01", "2027-02-01", suspended);
    const [back, stands] = [refunded("2027-01-05", "p"), refunded("2027-01-06", "p", { reversed: true })];
    const refundedLicense = licensed(
      reversed.slots,
      paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"], payment: "p" }),
      back,
    );
    expect(decide(refundedLicense, "2027-01-07")).toMatchObject({ kind: "settled" });
    const again = licensed(
      refundedLicense.slots,
      paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"], payment: "p" }),
      back,
      stands,
    );
    expect(decide(again, "2027-01-07")).toMatchObject({ change: { kind: "resume" } });
  });

  test("does not come within the grace", () => {
    const sold = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] });
    const late = licensed([slot(suspended)], sold, paused("2027-01-20"), resumed("2027-02-02"));
    expect(decide(late, "2027-02-02")).toMatchObject({ kind: "settled" });
  });

  test.each([
    ["as long as the time is paid", "2027-02-01T09:59:59", "resume"],
    ["not from then on, though the license has not expired", "2027-02-01T10:00", undefined],
  ])("comes %s", (_, now, kind) => {
    const here = licensed(
      [slot({ ...suspended, expiry: "2027-03-01" })],
      paid("2027-01-01", { through: "2027-02-01T10:00" }, { items: ["vm-monthly"] }),
    );
    expect(decide(here, now)).toMatchObject(kind ? { change: { kind } } : { kind: "settled" });
  });

  test.each([
    ["until the day of expiry", "2027-01-31T23:59:59", "resume"],
    ["not on that day, where the rest is not worth a period", "2027-02-01", undefined],
  ])("comes %s", (_, now, kind) => {
    const ending = [
      paid("2027-01-01", { through: "2027-02-03" }, { items: ["vm-monthly"] }),
      cancelScheduled("2027-01-02"),
    ];
    expect(decide(licensed([slot(suspended)], ...ending), now)).toMatchObject(
      kind ? { change: { kind } } : { kind: "settled" },
    );
  });

  test("does not come for a subscription that was never paid", () => {
    expect(decide(licensed([slot(suspended)], changed("2027-01-01", "vm-monthly")), "2027-01-05")).toMatchObject({
      kind: "settled",
    });
  });

  test("comes before other addons", () => {
    const more = held("2027-02-01", "2027-02-01", { ...suspended, addons: { "55165": 7 } });
    expect(decide(more, "2027-01-05")).toMatchObject({ change: { kind: "resume" } });
  });
});

describe("other addons", () => {
  const sold = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"] });
  const edit = (addons: object) => ({ kind: "change", change: { kind: "edit", elid: "101", addons } });

  test.each([
    ["another quantity", { "55165": 1 }, changed("2027-01-05", ["vm-monthly", 4]), { "55165": 4 }],
    [
      "an extra added",
      { "55165": 1 },
      changed("2027-01-05", "vm-monthly", ["extra-machines", 2]),
      { "55165": 1, "55164": 20 },
    ],
    ["an extra removed", { "55165": 1, "55164": 20 }, changed("2027-01-05", "vm-monthly"), { "55165": 1, "55164": 0 }],
    ["another plan of the product", { "55165": 1 }, changed("2027-01-05", "vm-yearly"), { "55165": 3 }],
  ])("are set to their whole target: %s", (_, addons, event, target) => {
    expect(decide(licensed([slot({ addons })], sold, event), "2027-01-05")).toMatchObject(edit(target));
  });

  test("are as wanted when the removed ones are 0", () => {
    const here = licensed([slot({ addons: { "55165": 1, "55164": 0 } })], sold);
    expect(decide(here, "2027-01-05")).toMatchObject({ kind: "settled" });
  });

  test("contain why they are set", () => {
    const more = licensed([slot()], sold, changed("2027-01-05", ["vm-monthly", 4]));
    expect(decide(more, "2027-01-05")).toMatchObject({ why: "the plan or its quantity changed" });
  });

  test("are not set for a subscription that was never paid", () => {
    const unpaid = licensed([slot()], changed("2027-01-01", ["vm-monthly", 4]));
    expect(decide(unpaid, "2027-01-05")).toMatchObject({ kind: "settled" });
  });

  test("come after the renewal", () => {
    const both = licensed(
      [slot()],
      sold,
      paid("2027-01-05", { through: "2027-03-01" }, { items: [["vm-monthly", 4]] }),
    );
    expect(decide(both, "2027-01-05")).toMatchObject(prolong("2027-03-01"));
  });

  test("wait while the license is suspended by a pause", () => {
    const stopped = licensed(
      [slot({ suspended: true })],
      sold,
      paused("2027-01-04"),
      changed("2027-01-05", ["vm-monthly", 4]),
    );
    expect(decide(stopped, "2027-01-05")).toMatchObject({ kind: "settled" });
  });
});
