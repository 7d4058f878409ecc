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

const tried = async (path: string, fields: Record<string, string>) => {
  const { status, headers, text } = await change(stack, `/try/${path}`, fields);
  expect([status, text]).toEqual([303, expect.any(String)]);
  return new URL(String(headers.location), stack.url);
};
const advance = (by: string) => tried("advance", { by });
const buy = async (storefront: string) =>
  (await tried("tell", { storefront, step: "buy" })).searchParams.get("name") ?? "";

test("there is a shop for every storefront", () => {
  expect(Object.keys(shops).sort()).toEqual([...storefrontNamesBuilt].sort());
});

describe.each(Object.keys(shops))("a customer of %s", (storefront) => {
  const tells = (step: string) => Object.hasOwn(shops[storefront]?.tell ?? {}, step);

  test("buys, grows, pays, pays late, cancels and ends: billmgr is told each once", { timeout: 30_000 }, async () => {
    const name = await buy(storefront);
    const tell = (step: string) => tried("tell", { storefront, step, name });
    await advance("PT1H");
    if (tells("grow")) await tell("grow");
    await advance("P1M");
    await tell("renew");
    await advance("P1M");
    await tell("fail");
    await advance("P4D");
    await tell("renew");
    await advance("PT1H");
    await tell("cancel");
    if (tells("end")) await tell("end");
    await advance("P1M");
    await advance("P15D");
    expect(done(stack).map((one) => one.replace(" 334673", ""))).toEqual([
      "order",
      ...(tells("grow") ? ["edit"] : []),
      "prolong",
      "suspend",
      "prolong",
      "resume",
      // These payments contain no period. One after the grace counts from then on, past the license's end.
      ...(["shopify", "appstle", "recharge"].includes(storefront) ? ["prolong"] : []),
      "suspend",
      "delete",
    ]);
    expect((await stateOf(stack, name))?.attention).toBeUndefined();
  });

  test.runIf(tells("refund"))("gets the money back: the license stops", async () => {
    const name = await buy(storefront);
    await advance("PT1H");
    await tried("tell", { storefront, step: "refund", name });
    await advance("PT1H");
    expect(done(stack)).toEqual(["order 334673", "suspend 334673"]);
  });
});

test("what the storefront was told can be gone on with after a restart: nothing is kept but the table", async () => {
  const name = await buy("stripe");
  await advance("PT1H");
  await tried("tell", { storefront: "stripe", step: "grow", name });
  await advance("P3M");
  await tried("tell", { storefront: "stripe", step: "renew", name });
  const state = await stateOf(stack, name);
  expect(state?.items?.value).toMatchObject([{ quantity: 2 }]);
  // Who pays after months pays the period that runs.
  const [last] = state?.payments.at(-1)?.paid ? [state.payments.at(-1)?.paid?.value.covers] : [];
  expect(last).toMatchObject({ from: "2027-02-23T08:00:00.000Z", through: "2027-03-23T08:00:00.000Z" });
});

test("a storefront that sells nothing, a step, a time and a fault that there are none of are refused in words", async () => {
  for (const [path, fields, why] of [
    ["tell", { storefront: "nobody", step: "buy" }, "has no secret"],
    ["tell", { storefront: "stripe", step: "nothing" }, "no customer does"],
    ["tell", { storefront: "stripe", step: "renew", name: "stripe/none" }, "no subscription stripe/none is known"],
    ["advance", { by: "-P1D" }, "is no time to go on by"],
    ["fault", { fault: "nothing", func: "order" }, "no such fault"],
  ] as const) {
    const { status, text } = await change(stack, `/try/${path}`, fields);
    expect([fields, status, text.includes(why)]).toEqual([fields, 409, true]);
  }
});

test("before a real billmgr there is nothing to try: it would spend money", async () => {
  const real = await startTestStack({ billmgr: "http://127.0.0.1:1/manager/billmgr" });
  try {
    expect((await ask(real, "/try")).status).toBe(404);
    expect((await change(real, "/try/tell", { storefront: "stripe", step: "buy" })).status).toBe(404);
    expect((await ask(real, "/")).text).not.toContain("Try it");
  } finally {
    await real.stop();
  }
});

test("a fault is planned and forgotten, and who tries goes on where they were, here alone", async () => {
  const back = "/subscription?name=stripe%2Fx";
  expect((await tried("fault", { fault: "act_then_drop", func: "order", back })).pathname).toBe("/subscription");
  expect((await ask(stack, "/try")).text).toContain("1 fault planned: act_then_drop of order");
  for (const away of ["https://evil.example/", "//evil.example/try", "/nowhere"]) {
    expect((await tried("fault", { clear: "yes", back: away })).href).toMatch(`${stack.url}/try?note=`);
  }
  expect((await ask(stack, "/try")).text).not.toContain("planned");
});
