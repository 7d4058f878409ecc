import { afterEach, beforeEach, expect, test } from "vitest";
import type { LocalStack } from "../../infra/local/stack.ts";
import { hostbillSecret, signHostbill } from "../support/hostbill.ts";
import { type Delivery, deliver, fixturesOf, live, openShop, outcomes } from "../support/life.ts";
import { post, stateOf } from "../support/local.ts";

type Fired = { event: string; at: string; body: unknown };

const shop = { name: "hostbill", secret: hostbillSecret, soldAs: { monthly: "12", other: "13" } };

/** http_build_query of PHP; one value alone has no name in a form, so that stays JSON. */
const formOf = (value: unknown, name = ""): string[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => formOf(inner, name ? `${name}[${key}]` : key))
    : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`];

const lifeAs = (content: string): Delivery[] =>
  fixturesOf<Fired>("hostbill").map(({ event, at, body: told }) => {
    const isForm = content === "a form" && typeof told === "object";
    const body = isForm ? formOf(told).join("&") : JSON.stringify(told);
    const type = { "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json" };
    // The signature's time is the event's, and the signature has to be timely: so a late delivery is a new event.
    return {
      at: new Date(at),
      body,
      headers: (now) => ({ ...type, ...signHostbill(event, body, now, hostbillSecret) }),
    };
  });

let stack: LocalStack;
beforeEach(async () => {
  stack = await openShop(shop);
});
afterEach(() => stack.stop());

test.each(["JSON", "a form"])(
  "a customer's life at HostBill, sent as %s, is told to billmgr",
  { timeout: 20_000 },
  async (content) => {
    expect(await live(stack, shop, lifeAs(content), new Date("2027-03-20T00:00:00Z"))).toEqual([
      ["2026-11-23", "order", { 55165: 1 }],
      ["2026-12-20", "prolong"],
      ["2027-01-26", "suspend"],
      ["2027-01-30", "prolong"],
      ["2027-01-30", "resume"],
      ["2027-02-02", "order", {}],
      ["2027-02-02", "delete"],
      ["2027-02-23", "suspend"],
      ["2027-03-09", "delete"],
    ]);
  },
);

test("gives the same licenses in whatever order purchases and payments are told, and however often", {
  timeout: 60_000,
}, async () => {
  const [first, created, second] = lifeAs("JSON") as [Delivery, Delivery, Delivery];
  expect([...(await outcomes(shop, [first, created, second], "49"))]).toHaveLength(1);
});

test("a suspension that is taken back and made again within minutes is not taken for a repeat", async () => {
  await live(stack, shop, lifeAs("JSON").slice(0, 2), new Date("2026-11-24T00:00:00Z"));
  for (const event of ["after_accountsuspend", "after_accountunsuspend", "after_accountsuspend"]) {
    await stack.advanceTo(new Date(stack.clock.now().getTime() + 30_000));
    const headers = signHostbill(event, "49", stack.clock.now(), hostbillSecret);
    expect((await post(`${stack.url}/webhooks/hostbill`, "49", headers)).status).toBe(200);
  }
  await stack.settle();
  expect((await stateOf(stack, "hostbill/49"))?.paused?.value).toBe(true);
});

test("what is signed and neither JSON nor a form is answered 400", async () => {
  const headers = signHostbill("after_accountsuspend", "nonsense", stack.clock.now(), hostbillSecret);
  expect((await post(`${stack.url}/webhooks/hostbill`, "nonsense", headers)).status).toBe(400);
});

test("is kept as it came, with the headers that name it", async () => {
  const [first] = lifeAs("a form") as [Delivery];
  await deliver(stack, shop, first);
  await stack.settle();
  const [stored] = await stack.table.events("subscription#hostbill/49");
  expect(stored?.received.body).toBe(first.body);
  expect(Object.keys(stored?.received.headers ?? {})).toEqual(["hb-event", "hb-timestamp"]);
});
