import { expect, test } from "vitest";
import type { Told } from "../support/fixtures.ts";
import { doneAt, Life } from "../support/life.ts";
import { stateOf } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = new Life("hostbill", "49");

/** http_build_query of PHP; one value alone has no name in a form, so that stays JSON. */
const formOf = (value: unknown, name = ""): string[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => formOf(inner, name ? `${name}[${key}]` : key))
    : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`];

const asForm = (told: Told): Told =>
  typeof told.body === "object"
    ? {
        ...told,
        text: formOf(told.body).join("&"),
        headers: { ...told.headers, "content-type": "application/x-www-form-urlencoded" },
      }
    : told;

const stack = useTestStack();

test.each([
  ["JSON", (told: Told) => told],
  ["a form", asForm],
])("a customer's life at HostBill, sent as %s, is told to billmgr", { timeout: 20_000 }, async (_, sentAs) => {
  await life.play(stack, life.events.map(sentAs));
  await stack.advanceTo(new Date("2027-03-20T00:00:00Z"));
  expect(doneAt(stack)).toEqual([
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
});

// Of purchases and payments alone: the signature's time is the event's, and has to be timely, so a late delivery is a new event.
test("gives the same licenses in whatever order purchases and payments are told, and however often", {
  timeout: 60_000,
}, async () => {
  await life.expectSameInAnyOrder(new Date("2027-01-01T00:00:00Z"));
});

test("a suspension that is taken back and made again within minutes is not taken for a repeat", async () => {
  await life.play(stack, life.events.slice(0, 2));
  await stack.advanceTo(new Date("2026-11-24T00:00:00Z"));
  for (const event of ["after_accountsuspend", "after_accountunsuspend", "after_accountsuspend"]) {
    await stack.advanceTo(new Date(stack.clock.now().getTime() + 30_000));
    const told = { name: event, body: 49, headers: { "hb-event": event } };
    expect((await life.deliver(stack, told)).status).toBe(200);
  }
  await stack.settle();
  expect((await stateOf(stack, life.subscription))?.paused?.value).toBe(true);
});

test("what is signed and neither JSON nor a form is answered 400", async () => {
  const told = { name: "nonsense", body: "", text: "nonsense", headers: { "hb-event": "after_accountsuspend" } };
  expect((await life.deliver(stack, told)).status).toBe(400);
});

test("is kept as it came, with the headers that name it", async () => {
  const first = asForm(life.events[0] as Told);
  await life.play(stack, [first]);
  await stack.settle();
  const [stored] = await stack.table.events("subscription#hostbill/49");
  expect(stored?.received.body).toBe(first.text);
  expect(Object.keys(stored?.received.headers ?? {})).toEqual(["hb-event", "hb-timestamp"]);
});
