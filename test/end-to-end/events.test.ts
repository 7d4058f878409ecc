import { expect, test } from "vitest";
import type { Announcement } from "../../shared/licensing/announcement.ts";
import { announcementSchema } from "../../shared/licensing/announcement-schema.ts";
import { advanceDays, done, inDays, paid, stateOf, tell } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();

const customer = { id: "1001", email: "ann@example.com" };
const listed = async () => (await (await fetch(`${stack.url}/local/events`)).json()) as Announcement[];

test("each change of a license is published, with its key and expiry", async () => {
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { quantity: 2, customer }));
  await advanceDays(stack, 30);
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { quantity: 2 }));
  await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 5 });
  await advanceDays(stack, 30);
  await tell(stack, "payment.failed", {});
  await advanceDays(stack, 4);
  await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { quantity: 5 }));
  await advanceDays(stack, 1);
  await tell(stack, "subscription.cancelled", {});
  await advanceDays(stack, 15);

  const events = await listed();
  for (const event of events) expect(announcementSchema.parse(event)).toEqual(event);
  expect(events.map(({ type }) => type)).toEqual([
    "license.ordered",
    "license.prolonged",
    "license.edited",
    "license.suspended",
    "license.prolonged",
    "license.suspended",
    "license.deleted",
  ]);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(events[0]).toEqual({
    id: "standard/42#operation-1",
    version: 1,
    type: "license.ordered",
    at: expect.stringMatching(/^2026-11-23T08:0/),
    storefront: "standard",
    subscription: "42",
    customer,
    plan: "vm6-monthly",
    license: {
      id: "334673",
      family: "platform",
      trial: false,
      suspended: false,
      addons: { 55165: 2 },
      expiry: "2026-12-23",
      key: stack.sandbox?.licenses()[0]?.lickey,
    },
  });
  expect(events[0]).toHaveProperty("license.key", expect.stringMatching(/^334673-/));
  expect(events[2]).toMatchObject({ license: { addons: { 55165: 5 }, expiry: "2027-01-23" } });
  expect(events[3]).toMatchObject({ license: { suspended: true } });
  expect(events.at(-1)).toMatchObject({ customer, plan: "vm6-monthly", license: { id: "334673", family: "platform" } });
});

test("an order is published once its key exists, or after ten minutes without it", async () => {
  const later = (seconds: number) => stack.advanceTo(new Date(stack.clock.now().getTime() + seconds * 1000));
  stack.sandbox?.configure({ keySeconds: 90 });
  await tell(stack, "payment.succeeded", paid(inDays(stack, 60)));
  await later(60);
  expect(done(stack)).toEqual(["order 334673", "prolong 334673"]);
  expect((await listed()).map(({ type }) => type)).toEqual(["license.prolonged"]);
  await later(300);
  const [, ordered] = await listed();
  expect(ordered).toMatchObject({ type: "license.ordered", license: { key: expect.stringMatching(/^334673-/) } });

  stack.sandbox?.configure({ keySeconds: 86_400 });
  await tell(stack, "payment.succeeded", { ...paid(inDays(stack, 30)), subscription: "43" });
  await later(300);
  expect(await listed()).toHaveLength(2);
  await later(600);
  const [, , second] = await listed();
  expect(second).toMatchObject({ type: "license.ordered", subscription: "43" });
  expect(second).not.toHaveProperty("license.key");
  expect((await stateOf(stack, "standard/43"))?.slots[0]?.license).not.toHaveProperty("keyAwaited");
});

test("an attention item is published with its reason", async () => {
  await tell(stack, "payment.succeeded", { ...paid(inDays(stack, 30)), plan: "vm7-monthly" });
  await stack.settle();
  expect(await listed()).toMatchObject([
    { type: "license.attention", subscription: "42", reason: expect.stringContaining("vm7-monthly") },
  ]);
});
