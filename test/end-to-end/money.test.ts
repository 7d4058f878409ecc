import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type LocalStack, startStack } from "../../local/stack.ts";
import { newSubscription } from "../../shared/licensing/subscription.ts";
import {
  advanceDays,
  authinfo,
  inDays,
  paid,
  secrets,
  startTestStack,
  stateOf,
  tell,
  testCatalog,
} from "../support/local.ts";
import { type PlainBillmgr, servePlainBillmgr } from "../support/plain-billmgr.ts";

let billmgr: PlainBillmgr;
let stack: LocalStack;
let now: () => Date = () => new Date();

const start = async (policy: object = {}): Promise<LocalStack> => {
  const started = await startTestStack({ billmgr: billmgr.url, catalog: testCatalog(policy) });
  now = started.clock.now;
  return started;
};

beforeEach(async () => {
  billmgr = await servePlainBillmgr(() => now());
  stack = await start();
});
afterEach(async () => {
  await stack.stop();
  await billmgr.stop();
});

const minutes = (count: number) => stack.advanceTo(new Date(now().getTime() + count * 60_000));
const purchases = () => billmgr.changes().filter((one) => /order|prolong/.test(one));
const codes = async (subscription?: string) =>
  (await stateOf(stack, subscription))?.attention?.map(({ reason }) => reason.code) ?? [];
const active = () =>
  billmgr.licenses.filter(({ status }) => status === 2).map(({ id, expiredate }) => [id, expiredate]);
const month = (payment: string, more: object = {}) => ({ payment, plan: "vm6-monthly", months: 1, ...more });
/** Buys a known license, so that a list can prove the absence of another one. */
async function withKnownLicense(): Promise<void> {
  await tell(stack, "payment.succeeded", { subscription: "known", ...paid(inDays(stack, 300)) });
  await stack.settle();
  billmgr.calls.length = 0;
}

describe("F1: a payment that is sent again", () => {
  test("after eleven months, dated later, buys nothing", async () => {
    const payment = { payment: "inv-1", plan: "vm6-monthly", months: 12 };
    await tell(stack, "payment.succeeded", payment);
    await stack.settle();
    expect(purchases()).toHaveLength(12);
    await advanceDays(stack, 334);
    await tell(stack, "payment.succeeded", payment);
    await advanceDays(stack, 60);
    expect(purchases()).toHaveLength(12);
  });

  test("after it left the state buys nothing, and the refund of such a payment changes nothing", async () => {
    for (let i = 0; i < 6; i++) {
      await tell(stack, "payment.succeeded", month(`m${i}`));
      await advanceDays(stack, 30);
    }
    const { payments = [] } = (await stateOf(stack)) ?? {};
    expect(payments.map(({ id }) => id)).not.toContain("m0");
    const before = purchases();
    await tell(stack, "payment.succeeded", month("m0"));
    await tell(stack, "payment.refunded", { payment: "m1" });
    await stack.settle();
    expect(purchases()).toEqual(before);
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { suspended: false } }]);
  });
});

test("F2: the invoice for February that is paid before the one for January buys both, for one license", async () => {
  await stack.stop();
  stack = await startStack({
    billmgr: billmgr.url,
    catalog: testCatalog(),
    secrets: () => secrets,
    clock: new Date("2026-12-01T09:00:00Z"),
    scheduleIntervalMs: 3_600_000,
    log: { info() {}, warn() {}, error() {} },
  });
  now = stack.clock.now;
  await tell(stack, "payment.succeeded", paid(new Date("2027-01-01T00:00:00Z"), { payment: "58" }));
  await stack.settle();
  await stack.advanceTo(new Date("2027-01-20T09:00:00Z"));
  // The generic endpoint has no start, so the later one covers the time from its statement on.
  await tell(stack, "payment.succeeded", paid(new Date("2027-03-01T00:00:00Z"), { payment: "60" }));
  await minutes(10);
  await tell(stack, "payment.succeeded", paid(new Date("2027-02-01T00:00:00Z"), { payment: "59" }));
  await stack.settle();
  expect(purchases().length).toBeLessThanOrEqual(3);
  expect(active()).toHaveLength(1);
});

test.each([4, 8, 12, 13, 14, 16, 20])(
  "F5: twelve payments, each %i days after the paid time, buy twelve periods",
  async (late) => {
    for (let i = 0; i < 12; i++) {
      await tell(stack, "payment.succeeded", month(`m${i}`));
      await stack.settle();
      const through =
        (await stateOf(stack))?.slots
          .flatMap(({ license }) => license?.expiry ?? [])
          .sort()
          .at(-1) ?? "";
      expect(active()).toHaveLength(1);
      await stack.advanceTo(new Date(Date.parse(through) + late * 86_400_000 + 8 * 3_600_000));
    }
    expect(purchases()).toHaveLength(12);
  },
  60_000,
);

describe("an order that may be unpaid", () => {
  const replies = {
    "F3: a list of the cart": '<lineitem.id>77</lineitem.id><ok type="list">func=cart</ok>',
    "F4: an id with an order to pay": "<id>77</id><billorder.id>5</billorder.id><ok/>",
    "a form": '<id>77</id><ok type="form">func=payment.add</ok>',
    "an ok that leads to a list": '<ok type="list">func=order</ok>',
  };

  test.each(Object.entries(replies))("%s is never ordered again, and needs attention", async (_, reply) => {
    await withKnownLicense();
    billmgr.reply(({ func }) => (func === "platform.order.param" ? reply : undefined));
    await tell(stack, "payment.succeeded", month("p"));
    await advanceDays(stack, 2);
    expect(purchases()).toEqual(["order"]);
    expect(await codes()).toEqual(["in_cart"]);
  });

  test("delays only that order: the other license is suspended when its payment is returned", async () => {
    await tell(stack, "payment.succeeded", month("p", { plan: "dci6-monthly" }));
    await stack.settle();
    billmgr.reply(({ func }) => (func === "platform.order.param" ? replies["F3: a list of the cart"] : undefined));
    await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 2 });
    await advanceDays(stack, 1);
    expect(await codes()).toEqual(["in_cart"]);
    await tell(stack, "payment.refunded", { payment: "p" });
    await advanceDays(stack, 1);
    expect(billmgr.changes().at(-1)).toBe("suspend 5000");
    expect(await codes()).toEqual(["in_cart"]);
  });
});

describe("F6: a reply that names another customer's license", () => {
  const named = ({ func }: Record<string, string>, act: () => string) =>
    func === "platform.order.param" ? act().replace(/<id>\d+<\/id>/, "<id>5000</id>") : undefined;

  test("is ignored in favor of the license with the reference", async () => {
    await tell(stack, "payment.succeeded", { subscription: "other", ...month("q") });
    await stack.settle();
    billmgr.show({ form: () => "" });
    billmgr.reply(named);
    await tell(stack, "payment.succeeded", month("p"));
    await advanceDays(stack, 1);
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid: "5001" } }]);
    await tell(stack, "subscription.cancelled", {});
    await advanceDays(stack, 20);
    expect(billmgr.licenses.map(({ status }) => status)).toEqual([2, 4]);
  });

  test("needs attention if nothing shows a reference", async () => {
    await tell(stack, "payment.succeeded", { subscription: "other", ...month("q") });
    await stack.settle();
    await stack.stop();
    stack = await start({ orderGuard: "lenient" });
    await tell(stack, "payment.succeeded", { subscription: "other", ...month("q") });
    await stack.settle();
    billmgr.show({ form: () => "", row: () => "" });
    billmgr.reply(named);
    await tell(stack, "payment.succeeded", month("p"));
    await advanceDays(stack, 2);
    expect((await stateOf(stack))?.slots.flatMap(({ license }) => license ?? [])).toEqual([]);
    expect(await codes()).toEqual(["conflicting"]);
    expect(purchases().filter((one) => one === "order")).toHaveLength(2);
  });
});

describe("a license that billmgr stopped at its expiry", () => {
  const lapsed = async () => {
    await tell(stack, "payment.succeeded", month("p"));
    await advanceDays(stack, 33);
  };

  test("F8: is not suspended again", async () => {
    billmgr.reply(({ func }) =>
      func === "platform.suspend" ? '<error type="access" object="status"><msg>No</msg></error>' : undefined,
    );
    await lapsed();
    await advanceDays(stack, 3);
    expect(billmgr.changes()).toEqual(["order"]);
    expect(await codes()).toEqual([]);
  });

  test("F7: is resumed if it stays stopped after its prolong", async () => {
    billmgr.reply(({ func, elid }, act) => {
      if (func !== "service.prolong") return undefined;
      const reply = act();
      const license = billmgr.licenses.find(({ id }) => String(id) === elid);
      if (license) Object.assign(license, { status: 3, autosuspended: true });
      return reply;
    });
    await lapsed();
    await tell(stack, "payment.succeeded", month("q"));
    await advanceDays(stack, 1);
    expect(billmgr.changes()).toEqual(["order", "prolong 5000", "resume 5000"]);
    expect(active()).toHaveLength(1);
  });
});

test.each([
  ["an attribute", (code: number) => `<item_status orig="${code}">x</item_status>`],
  ["an attribute with a detail", (code: number) => `<item_status orig="${code}_detail">x</item_status>`],
  ["plain text", (code: number) => `<item_status>${code}</item_status>`],
  ["its own element", (code: number) => `<status>${code}</status><item_status>Active</item_status>`],
  ["the real status", (code: number) => `<item_real_status>${code}</item_real_status>`],
])("F12: a license that is deleted, shown by %s, is not prolonged", async (_, shown) => {
  billmgr.show({ status: ({ status }) => shown(status) });
  await tell(stack, "payment.succeeded", month("p"));
  await stack.settle();
  for (const license of billmgr.licenses) license.status = 4;
  await tell(stack, "payment.succeeded", month("q"));
  await advanceDays(stack, 1);
  expect(purchases()).toEqual(["order"]);
  expect(await codes()).toEqual(["conflicting"]);
});

test("F12: a license with an unknown status does not count as healthy", async () => {
  billmgr.show({ status: () => "<item_status>Okay</item_status>" });
  await tell(stack, "payment.succeeded", month("p"));
  await advanceDays(stack, 2);
  expect(purchases()).toEqual(["order"]);
  expect(await codes()).toEqual(["unresolved"]);
});

describe("F13: the state", () => {
  test("of a license that was paid each month for ten years stays under 2 KB", async () => {
    for (let i = 0; i < 120; i++) {
      await tell(
        stack,
        "payment.succeeded",
        month(`in_1Q9ZtLB7Wxyz${i}`, { customer: { id: "cus_R1", email: "jo@example.com" } }),
      );
      await stack.settle();
      const { slots = [] } = (await stateOf(stack)) ?? {};
      await stack.advanceTo(new Date(Date.parse(slots[0]?.license?.expiry ?? "") - 3_600_000));
    }
    expect(purchases()).toHaveLength(120);
    expect(Buffer.byteLength(JSON.stringify(await stateOf(stack)))).toBeLessThan(2048);
  }, 120_000);

  test("that has no room for more becomes an attention item, and the subscription still ends", async () => {
    const name = "n".repeat(30_000);
    const catalog = testCatalog({ onEnd: "delete" });
    const plan = { ...catalog.plans["dci6-monthly"], product: name, soldAs: {} };
    await stack.stop();
    stack = await startTestStack({
      billmgr: billmgr.url,
      catalog: {
        ...catalog,
        products: { [name]: { pricelist: 55161, family: "platform", addons: {} } },
        plans: { [`${name}1`]: plan } as typeof catalog.plans,
        limits: { ...catalog.limits, ordersPerHour: 1000, ordersPerDay: 1000 },
      },
    });
    now = stack.clock.now;
    // The name of the generic endpoint's plan has at most 200 characters, so the items are stored directly.
    const items = { value: [{ names: [`${name}1`], quantity: 80 }], at: now().toISOString(), event: "e" };
    await stack.table.save("subscription#standard/42", {
      subscription: { ...newSubscription("standard", "42"), items },
      version: 0,
    });
    await tell(stack, "payment.succeeded", { payment: "p", months: 1 });
    await stack.settle();
    const ordered = billmgr.licenses.length;
    expect(ordered).toBeGreaterThan(2);
    expect(await codes()).toEqual(["too_large"]);
    await tell(stack, "subscription.cancelled", {});
    await stack.settle();
    expect(billmgr.licenses.every(({ status }) => status === 4)).toBe(true);
  });
});

test("F16: a renewal that arrives after its period is over buys nothing", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30)));
  await advanceDays(stack, 62);
  await tell(stack, "payment.succeeded", paid(inDays(stack, -2)));
  await advanceDays(stack, 1);
  expect(purchases()).toEqual(["order"]);
});

describe("a table that lost the purchases", () => {
  const buy = async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { payment: "p", quantity: 2 }));
    await tell(stack, "payment.succeeded", { subscription: "43", ...paid(inDays(stack, 30), { payment: "q" }) });
    await advanceDays(stack, 1);
  };

  test("because it is empty adopts the licenses, and buys nothing twice", async () => {
    await buy();
    const before = purchases();
    await stack.stop();
    stack = await start();
    await stack.advanceTo(new Date(Date.parse("2026-11-25T08:00:00Z")));
    await tell(stack, "payment.succeeded", paid(inDays(stack, 28), { payment: "p", quantity: 2 }));
    await tell(stack, "payment.succeeded", { subscription: "43", ...paid(inDays(stack, 28), { payment: "q" }) });
    await advanceDays(stack, 1);
    expect(purchases()).toEqual(before);
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid: "5000", addons: { 55165: 2 } } }]);
    await advanceDays(stack, 25);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 32), { payment: "p2", quantity: 2 }));
    await advanceDays(stack, 1);
    expect(purchases()).toEqual([...before, "prolong 5000"]);
  });

  test("because another stack on the account bought it", async () => {
    const other = await startTestStack({ billmgr: billmgr.url });
    try {
      await buy();
      const before = purchases();
      await other.advanceTo(now());
      await tell(other, "payment.succeeded", paid(inDays(stack, 29), { payment: "p", quantity: 2 }));
      await other.settle();
      expect(purchases()).toEqual(before);
    } finally {
      await other.stop();
    }
  });

  test("because it was restored to an hour before", async () => {
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { payment: "p" }));
    await advanceDays(stack, 20);
    const restored = await stack.table.load("subscription#standard/42");
    await tell(stack, "payment.succeeded", paid(inDays(stack, 40), { payment: "p2" }));
    await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 1 });
    await advanceDays(stack, 1);
    const before = billmgr.changes();
    const latest = await stack.table.load("subscription#standard/42");
    if (!restored || !latest) throw new Error("nothing is stored");
    await stack.table.save("subscription#standard/42", { ...restored, version: latest.version });
    await tell(stack, "payment.succeeded", paid(inDays(stack, 39), { payment: "p2" }));
    await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 1 });
    await advanceDays(stack, 1);
    expect(billmgr.changes().filter((one) => one === "order")).toEqual(before.filter((one) => one === "order"));
  });
});

test("authinfo stays out of the log of this test", () => expect(JSON.stringify(billmgr.calls)).not.toContain(authinfo));
