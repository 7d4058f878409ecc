import { describe, expect, test } from "vitest";
import { shopNamed, shops } from "../../local/simulators/storefronts/index.ts";
import { ask, change } from "../support/console.ts";
import { done, stateOf } from "../support/local.ts";
import { useTestStack, withTestStack } from "../support/test-stack.ts";

const stack = useTestStack();

const submit = async (path: string, fields: Record<string, string>) => {
  const { status, headers, text } = await change(stack, `/try/${path}`, fields);
  expect([status, text]).toEqual([303, expect.any(String)]);
  return new URL(String(headers.location), stack.url);
};
const advance = (by: string) => submit("advance", { by });
const buy = async (storefront: string) =>
  (await submit("send", { storefront, step: "buy" })).searchParams.get("name") ?? "";

/** Their late payments do not state that they pay the time from the old end on, so policy.late gives a new license. */
const ordersAgain = ["lemonsqueezy", "shopify", "appstle", "recharge"];

describe.each(Object.keys(shops))("a customer of %s", (storefront) => {
  const sends = (step: string) => Object.hasOwn(shopNamed(storefront)?.webhooks ?? {}, step);

  test("buys, grows, pays, pays late, cancels, and ends: each change is called once", { timeout: 30_000 }, async () => {
    const name = await buy(storefront);
    const act = (step: string) => submit("send", { storefront, step, name });
    await advance("PT1H");
    if (sends("grow")) await act("grow");
    await advance("P1M");
    await act("renew");
    await advance("P1M");
    await act("fail");
    await advance("P4D");
    await act("renew");
    await advance("PT1H");
    await act("cancel");
    if (sends("end")) await act("end");
    await advance("P1M");
    await advance("P15D");
    expect(done(stack).map((one) => one.replace(" 334673", ""))).toEqual([
      "order",
      ...(sends("grow") ? ["edit"] : []),
      "prolong",
      ...(ordersAgain.includes(storefront)
        ? ["order 334674", "delete", ...(storefront === "lemonsqueezy" ? ["suspend 334674"] : []), "delete 334674"]
        : // billmgr itself stops the license at its expiry, and starts it with the prolong.
          ["prolong", "suspend", "delete"]),
    ]);
    expect((await stateOf(stack, name))?.attention).toBeUndefined();
  });

  test.runIf(sends("refund"))("gets a refund: the license is suspended", async () => {
    const name = await buy(storefront);
    await advance("PT1H");
    await submit("send", { storefront, step: "refund", name });
    await advance("PT1H");
    expect(done(stack)).toEqual(["order 334673", "suspend 334673"]);
  });
});

test("steps need only the table, so they continue after a restart", async () => {
  const name = await buy("stripe");
  await advance("PT1H");
  await submit("send", { storefront: "stripe", step: "grow", name });
  await advance("P3M");
  await submit("send", { storefront: "stripe", step: "renew", name });
  const state = await stateOf(stack, name);
  expect(state?.items?.value).toMatchObject([{ quantity: 2 }]);
  // A customer who pays months late pays the current period.
  const [last] = state?.payments.at(-1)?.paid ? [state.payments.at(-1)?.paid?.value.covers] : [];
  expect(last).toMatchObject({ from: "2027-02-23T08:00:00.000Z", through: "2027-03-23T08:00:00.000Z" });
});

test("an unknown storefront, step, subscription, duration, or fault is refused with a message", async () => {
  for (const [path, fields, why] of [
    ["send", { storefront: "nobody", step: "buy" }, "no secret for the storefront"],
    ["send", { storefront: "stripe", step: "nothing" }, "is not a step of a customer"],
    [
      "send",
      { storefront: "stripe", step: "renew", name: "stripe/none" },
      "the subscription stripe/none does not exist",
    ],
    ["advance", { by: "-P1D" }, "is not an ISO 8601 duration"],
    ["fault", { fault: "nothing", func: "order" }, "is not a fault"],
  ] as const) {
    const { status, text } = await change(stack, `/try/${path}`, fields);
    expect([fields, status, text.includes(why)]).toEqual([fields, 409, true]);
  }
});

test("with a real billmgr the pages do not exist, because buttons would spend money", async () => {
  await withTestStack({ billmgr: "http://127.0.0.1:1/manager/billmgr" }, async (real) => {
    expect((await ask(real, "/try")).status).toBe(404);
    expect((await change(real, "/try/send", { storefront: "stripe", step: "buy" })).status).toBe(404);
    expect((await ask(real, "/")).text).not.toContain("Try it");
  });
});

test("a fault is planned and cleared; the form redirects back, but only within the console", async () => {
  const back = "/subscription?name=stripe%2Fx";
  expect((await submit("fault", { fault: "act_then_drop", func: "order", back })).pathname).toBe("/subscription");
  expect((await ask(stack, "/try")).text).toContain("1 fault planned: act_then_drop on order");
  for (const away of ["https://evil.example/", "//evil.example/try", "/nowhere"]) {
    expect((await submit("fault", { clear: "yes", back: away })).href).toMatch(`${stack.url}/try?flash=`);
  }
  expect((await ask(stack, "/try")).text).not.toContain("planned");
});
