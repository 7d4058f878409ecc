import type { Stripe } from "stripe";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { startTestStack, tellStripe } from "../support/local.ts";
import { isInstalled, type StripeReplica, startStripeReplica } from "../support/stripe-replica/replica.ts";
import { catalogOf, dateOn, licensesOf, start } from "./report.ts";

/**
 * Plays customers at an independent replica of Stripe, through Stripe's own client. The system receives the replica's
 * events, and the simulated billmgr's ledger contains the results. `.ci/stripe-replica` installs the replica.
 */
const isSkipped = !isInstalled() && process.env.CI !== "true";

describe.skipIf(isSkipped)("with an independent replica of Stripe", { timeout: 60_000 }, () => {
  let replica: StripeReplica;
  let stack: LocalStack;
  let stripe: Stripe;
  let [month, year] = ["", ""];

  beforeEach(async () => {
    replica = await startStripeReplica(start);
    stripe = replica.stripe;
    const { id: product } = await stripe.products.create({ name: "VMmanager" });
    const price = (interval: "month" | "year", unit_amount: number) =>
      stripe.prices.create({ product, currency: "usd", unit_amount, recurring: { interval } });
    month = (await price("month", 2000)).id;
    year = (await price("year", 20_000)).id;
    stack = await startTestStack({
      catalog: catalogOf({ "vm-monthly": [month], "vm-yearly": [year] }),
      clock: start,
    });
  });
  afterEach(async () => {
    replica.stop();
    await stack.stop();
  });

  const cards = {
    good: { token: "tok_visa" },
    // Stripe's test card that can be attached, and then declines each charge.
    declines: { number: "4000000000000341", exp_month: 12, exp_year: 2030, cvc: "123" },
  };

  async function addCard(customer: string, card: keyof typeof cards): Promise<string> {
    const { id } = await stripe.paymentMethods.create({ type: "card", card: cards[card] });
    await stripe.paymentMethods.attach(id, { customer });
    return id;
  }

  async function subscribe(of: Partial<Stripe.SubscriptionCreateParams> = {}, card: keyof typeof cards = "good") {
    const { id: customer } = await stripe.customers.create({ email: "jo@example.com" });
    const default_payment_method = await addCard(customer, card);
    const { id, items } = await stripe.subscriptions.create({
      customer,
      items: [{ price: month }],
      default_payment_method,
      ...of,
    });
    await deliver();
    return { customer, id, item: items.data[0]?.id ?? "" };
  }

  /** Delivers the events since the last call, in their order. */
  async function deliver(): Promise<void> {
    for (const event of await replica.newEvents())
      expect(await tellStripe(stack, event)).toMatchObject({ status: 200 });
    await stack.settle();
  }

  async function on(day: number, happens: () => Promise<unknown>): Promise<void> {
    await stack.advanceTo(dateOn(day));
    await replica.setClock(dateOn(day));
    await happens();
    await deliver();
  }

  const until = (day: number) => stack.advanceTo(dateOn(day));

  /** billmgr's operations: days since the start, operation, and its months or nodes. */
  const ledger = () =>
    (stack.sandbox?.ledger() ?? []).map((entry) => {
      const day = Math.floor((Date.parse(entry.at) - start.getTime()) / 86_400_000);
      if (entry.operation === "order" || entry.operation === "prolong") return [day, entry.operation, entry.period];
      return [day, entry.operation, ...(entry.operation === "edit" ? Object.values(entry.addons) : [])];
    });

  const bought = () => ledger().filter(([, operation]) => operation === "order" || operation === "prolong");

  async function expectNothingNeedsAttention(): Promise<void> {
    expect((await stack.table.attention()).keys).toEqual([]);
  }

  test("a customer buys, adds nodes, renews, cancels, withdraws, cancels again, and leaves", async () => {
    const { id, item } = await subscribe();
    await on(10, () => stripe.subscriptions.update(id, { items: [{ id: item, quantity: 3 }] }));
    await on(31, () => replica.endPeriod(id));
    await on(40, () => stripe.subscriptions.update(id, { cancel_at_period_end: true }));
    await on(41, () => stripe.subscriptions.update(id, { cancel_at_period_end: false }));
    await on(42, () => stripe.subscriptions.update(id, { cancel_at_period_end: true }));
    await until(61);
    expect(licensesOf(stack)).toEqual(["active"]);
    await on(62, () => replica.endPeriod(id));
    await until(63);
    expect(licensesOf(stack)).toEqual(["suspended"]);
    await until(80);
    expect(ledger().filter(([, operation]) => operation !== "suspend")).toEqual([
      [0, "order", 1],
      [10, "edit", 3],
      [31, "prolong", 1],
      [76, "delete"],
    ]);
    await expectNothingNeedsAttention();
  });

  test("a failed renewal that is paid late is prolonged then", async () => {
    const { id, customer } = await subscribe();
    const declines = await addCard(customer, "declines");
    await on(20, () => stripe.subscriptions.update(id, { default_payment_method: declines }));
    await on(31, () => replica.endPeriod(id));
    await until(36);
    expect(licensesOf(stack)).toEqual(["suspended"]);
    const good = await addCard(customer, "good");
    await on(36, async () => {
      await stripe.subscriptions.update(id, { default_payment_method: good });
      const { latest_invoice } = await stripe.subscriptions.retrieve(id);
      await stripe.invoices.pay(String(latest_invoice));
    });
    await until(37);
    expect(licensesOf(stack)).toEqual(["active"]);
    expect(bought()).toEqual([
      [0, "order", 1],
      [36, "prolong", 1],
    ]);
    await expectNothingNeedsAttention();
  });

  test("a failed first payment buys nothing", async () => {
    await subscribe({}, "declines");
    await until(5);
    expect(ledger()).toEqual([]);
    await expectNothingNeedsAttention();
  });

  test("a trial of a plan without trial licenses becomes a subscription", async () => {
    const { id } = await subscribe({ trial_period_days: 14 });
    await on(14, () => replica.endPeriod(id));
    await until(44);
    expect(ledger()).toEqual([
      [0, "order", 1],
      [expect.any(Number), "prolong", 1],
    ]);
    await expectNothingNeedsAttention();
  });

  test("the merchant adds 14 free days as a trial", async () => {
    const { id } = await subscribe();
    await on(10, () =>
      stripe.subscriptions.update(id, { trial_end: dateOn(45).getTime() / 1000, proration_behavior: "none" }),
    );
    await until(44);
    expect(licensesOf(stack)).toEqual(["active"]);
    await expectNothingNeedsAttention();
  });

  test("a payment with a full discount buys a license", async () => {
    const { id: coupon } = await stripe.coupons.create({ percent_off: 100, duration: "once" });
    await subscribe({ discounts: [{ coupon }] });
    expect(ledger()).toEqual([[0, "order", 1]]);
    await expectNothingNeedsAttention();
  });

  test("a customer who changes to a yearly plan is prolonged for 12 months", async () => {
    const { id, item } = await subscribe();
    const yearly = { items: [{ id: item, price: year }], proration_behavior: "always_invoice" as const };
    await on(10, () => stripe.subscriptions.update(id, yearly));
    await on(31, () => replica.endPeriod(id));
    await until(300);
    expect(ledger()).toEqual([
      [0, "order", 1],
      [31, "prolong", 12],
    ]);
    await expectNothingNeedsAttention();
  });

  test("a pause of the collection suspends the license until it resumes", async () => {
    const { id } = await subscribe();
    await on(5, () => stripe.subscriptions.update(id, { pause_collection: { behavior: "void" } }));
    await on(8, () => stripe.subscriptions.update(id, { pause_collection: "" }));
    expect(ledger()).toEqual([
      [0, "order", 1],
      [5, "suspend"],
      [8, "resume"],
    ]);
    await expectNothingNeedsAttention();
  });
});
