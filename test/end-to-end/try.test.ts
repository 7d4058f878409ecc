import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { shops } from "../../local/simulators/storefronts/index.ts";
import type { LocalStack } from "../../local/stack.ts";
import { storefrontNamesBuilt } from "../../shared/storefronts/index.ts";
import { ask, change } from "../support/console.ts";
import { done, startTestStack, stateOf } from "../support/local.ts";

let stack: LocalStack;
beforeEach(async () => {
  stack = await startTestStack();
});
afterEach(() => stack.stop());

const post = async (path: string, fields: Record<string, string>) => {
  const { status, headers, text } = await change(stack, `/try/${path}`, fields);
  expect([status, text]).toEqual([303, expect.any(String)]);
  return new URL(String(headers.location), stack.url);
};
const advance = (by: string) => post("advance", { by });
const buy = async (storefront: string) =>
  (await post("tell", { storefront, step: "buy" })).searchParams.get("name") ?? "";

test("every storefront has a simulated shop", () => {
  expect(Object.keys(shops).sort()).toEqual([...storefrontNamesBuilt].sort());
});

describe.each(Object.keys(shops))("a customer of %s", (storefront) => {
  const reports = (step: string) => Object.hasOwn(shops[storefront]?.webhooks ?? {}, step);

  test("buys, grows, pays, pays late, cancels, and ends, with one call to billmgr each", {
    timeout: 30_000,
  }, async () => {
    const name = await buy(storefront);
    const send = (step: string) => post("tell", { storefront, step, name });
    await advance("PT1H");
    if (reports("grow")) await send("grow");
    await advance("P1M");
    await send("renew");
    await advance("P1M");
    await send("fail");
    await advance("P4D");
    await send("renew");
    await advance("PT1H");
    await send("cancel");
    if (reports("end")) await send("end");
    await advance("P1M");
    await advance("P15D");
    expect(done(stack).map((one) => one.replace(" 334673", ""))).toEqual([
      "order",
      ...(reports("grow") ? ["edit"] : []),
      "prolong",
      "suspend",
      "prolong",
      "resume",
      // A Shopify order contains no period. Paid after the grace period, it counts from then on, past the license's expiry.
      ...(storefront === "shopify" ? ["prolong"] : []),
      "suspend",
      "delete",
    ]);
    expect((await stateOf(stack, name))?.attention).toBeUndefined();
  });

  test.runIf(reports("refund"))("is suspended after a refund", async () => {
    const name = await buy(storefront);
    await advance("PT1H");
    await post("tell", { storefront, step: "refund", name });
    await advance("PT1H");
    expect(done(stack)).toEqual(["order 334673", "suspend 334673"]);
  });
});

test("a customer's state is derived from the table alone", async () => {
  const name = await buy("stripe");
  await advance("PT1H");
  await post("tell", { storefront: "stripe", step: "grow", name });
  await advance("P3M");
  await post("tell", { storefront: "stripe", step: "renew", name });
  const state = await stateOf(stack, name);
  expect(state?.items?.value).toMatchObject([{ quantity: 2 }]);
  // A payment after months is for the current period.
  const [last] = state?.payments.at(-1)?.paid ? [state.payments.at(-1)?.paid?.value.covers] : [];
  expect(last).toMatchObject({ from: "2027-02-23T08:00:00.000Z", through: "2027-03-23T08:00:00.000Z" });
});

test("an unknown storefront, step, subscription, duration, or fault is refused with a message", async () => {
  for (const [path, fields, why] of [
    ["tell", { storefront: "nobody", step: "buy" }, "no secret for the storefront"],
    ["tell", { storefront: "stripe", step: "nothing" }, "is not a step of a customer"],
    [
      "tell",
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
  const real = await startTestStack({ billmgr: "http://127.0.0.1:1/manager/billmgr" });
  try {
    expect((await ask(real, "/try")).status).toBe(404);
    expect((await change(real, "/try/tell", { storefront: "stripe", step: "buy" })).status).toBe(404);
    expect((await ask(real, "/")).text).not.toContain("Try it");
  } finally {
    await real.stop();
  }
});

test("a fault can be planned and cleared, and the way back leads only to pages of this console", async () => {
  const back = "/subscription?name=stripe%2Fx";
  expect((await post("fault", { fault: "act_then_drop", func: "order", back })).pathname).toBe("/subscription");
  expect((await ask(stack, "/try")).text).toContain("1 fault planned: act_then_drop of order");
  for (const away of ["https://evil.example/", "//evil.example/try", "/nowhere"]) {
    expect((await post("fault", { clear: "yes", back: away })).href).toMatch(`${stack.url}/try?note=`);
  }
  expect((await ask(stack, "/try")).text).not.toContain("planned");
});
