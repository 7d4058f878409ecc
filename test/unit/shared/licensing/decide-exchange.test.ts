import { describe, expect, test } from "vitest";
import { changed, decide, licensed, paid, slot, utc } from "../../../support/events.ts";

/** Three months are paid and bought for vm-monthly; then dci-monthly is sold instead. */
const exchanged = (expiry: string, of: { exchanged?: true }) =>
  licensed(
    [
      {
        ...slot({ n: 2, plan: "dci-monthly", product: "dcimanager6", expiry, addons: {} }),
        spentThrough: utc("2027-04-01"),
        ...of,
      },
    ],
    paid("2027-01-01", { through: "2027-04-01" }, { items: ["vm-monthly"] }),
    changed("2027-01-05", "dci-monthly"),
  );

describe("another product within paid time", () => {
  test("is prolonged as an exchange near its expiry, up to what is paid", () => {
    const due = decide(exchanged("2027-02-05", { exchanged: true }), "2027-02-04");
    expect(due).toMatchObject({ kind: "change", change: { kind: "prolong", expiry: "2027-03-05" } });
    expect(due).not.toHaveProperty("change.spends");
    expect(decide(exchanged("2027-04-01", { exchanged: true }), "2027-03-31")).toMatchObject({ kind: "settled" });
  });

  test("spends nothing again where its license was bought by a payment", () => {
    expect(decide(exchanged("2027-02-05", {}), "2027-02-04")).toMatchObject({ kind: "settled" });
  });
});

test("a license is replaced, not prolonged, once its next period would be over", () => {
  const expired = licensed(
    [slot({ plan: "vm-monthly", expiry: "2027-02-01" })],
    paid("2027-01-01", { through: "2027-06-01" }, { items: ["vm-monthly"] }),
  );
  const policy = { late: "prolong" } as const;
  expect(decide(expired, "2027-03-05", policy)).toMatchObject({ change: { kind: "order", replaces: { n: 1 } } });
  expect(decide(expired, "2027-02-20", policy)).toMatchObject({ change: { kind: "prolong", expiry: "2027-03-01" } });
});
