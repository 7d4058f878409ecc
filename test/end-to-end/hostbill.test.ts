import { expect, test } from "vitest";
import type { Delivery } from "../support/fixtures.ts";
import { asForm } from "../support/hostbill.ts";
import { lives } from "../support/lives.ts";
import { stateOf } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const life = lives.HostBill;

const stack = useTestStack();

test("HostBill: a second suspension within minutes, after an unsuspension, is a new event", async () => {
  await life.play(stack, life.events.slice(0, 2));
  await stack.advanceTo(new Date("2026-11-24T00:00:00Z"));
  for (const event of ["after_accountsuspend", "after_accountunsuspend", "after_accountsuspend"]) {
    await stack.advanceTo(new Date(stack.clock.now().getTime() + 30_000));
    const delivery = { name: event, body: 49, headers: { "hb-event": event } };
    expect((await life.deliver(stack, delivery)).status).toBe(200);
  }
  await stack.settle();
  expect((await stateOf(stack, life.subscription))?.paused?.value).toBe(true);
});

test("HostBill: a signed body that is neither JSON nor a form gets a 400", async () => {
  const delivery = { name: "nonsense", body: "", text: "nonsense", headers: { "hb-event": "after_accountsuspend" } };
  expect((await life.deliver(stack, delivery)).status).toBe(400);
});

test("HostBill: a form is stored as received, with the headers that identify it", async () => {
  const first = asForm(life.events[0] as Delivery);
  await life.play(stack, [first]);
  await stack.settle();
  const [stored] = await stack.table.events("subscription#hostbill/49");
  expect(stored?.received.body).toBe(first.text);
  expect(Object.keys(stored?.received.headers ?? {})).toEqual(["hb-event", "hb-timestamp"]);
});
