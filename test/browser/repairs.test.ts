import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inChromium, openIn, runs, startBrowser } from "../support/browser.ts";
import {
  advanceMinutes,
  done,
  inDays,
  lastOperation,
  orderForm,
  paid,
  postToBillmgr,
  stateOf,
  tell,
} from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const it = test.runIf(runs);

describe(`each repair, ${inChromium}`, () => {
  let browser: Browser;
  const stack = useTestStack();
  let page: Page;
  beforeAll(async () => {
    if (runs) browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    ({ page } = await openIn(browser, stack.url));
  });
  afterEach(() => page?.context().close());

  const minutes = (count: number) => advanceMinutes(stack, count);
  const buy = (subscription = "42") => tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
  const inBillmgr = (form: Record<string, string>) => postToBillmgr(stack, form);
  const press = (name: string) => page.getByRole("button", { name }).click();
  /** Checks the confirmation text and confirms. */
  const confirm = async (text: string) => {
    expect(await page.locator(".confirmation").textContent()).toContain(text);
    await press("Yes, do it");
  };
  const flash = () => page.locator(".flash").textContent();
  /** Leaves an order in billmgr's cart. */
  const leaveOrderInCart = async () => {
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await minutes(15);
    await page.goto("/");
  };
  const buyInBillmgr = async (more: Record<string, string>) => {
    await inBillmgr({ ...orderForm, ...more });
    return String(stack.sandbox?.licenses().at(-1)?.id);
  };

  it("retry", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await buy();
    await minutes(1);
    await page.goto("/");
    await press("Retry");
    expect(await flash()).toContain("standard/42 is being processed again");
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  it("never bought", async () => {
    await leaveOrderInCart();
    await press("It was never bought…");
    await confirm("If it did go through, you pay twice.");
    expect(await flash()).toContain("operation 1, order vmmanager6 for a month: gave up");
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  it("going back changes nothing", async () => {
    await leaveOrderInCart();
    await press("It was never bought…");
    await page.getByRole("link", { name: "No, go back" }).click();
    expect(page.url()).toContain("/subscription");
    expect((await stateOf(stack))?.operation?.state).toBe("unknown");
  });

  it("adopt", async () => {
    await leaveOrderInCart();
    const reference = (await stateOf(stack))?.operation?.attempt?.params.comment ?? "";
    const elid = await buyInBillmgr({ comment: reference });
    await page.getByLabel("It was bought as license").fill(elid);
    await press("Adopt…");
    await confirm(`License ${elid} will be assigned to standard/42`);
    await minutes(2);
    await page.getByText("up to date").waitFor();
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid } }]);
  });

  it("adopting an unknown license is refused with the reason", async () => {
    await leaveOrderInCart();
    await page.getByLabel("It was bought as license").fill("999999");
    await press("Adopt…");
    await press("Yes, do it");
    await page.getByText("billmgr has no license 999999 of platform").waitFor();
    expect((await stateOf(stack))?.operation?.state).toBe("unknown");
  });

  it("done", async () => {
    await buy();
    await minutes(1);
    stack.sandbox?.configure({ formHides: ["addons"] });
    stack.sandbox?.plan({ fault: "act_then_drop", func: "edit" });
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 4 });
    await minutes(26 * 60);
    await page.goto("/");
    await press("It is done…");
    await confirm("will be recorded as done.");
    expect(await lastOperation(stack)).toMatchObject({ outcome: "done", resolved: { as: "done" } });
  });

  it("gone", async () => {
    await buy();
    await minutes(1);
    await inBillmgr({ func: "platform.delete", elid: "334673", sok: "ok" });
    await page.goto("/subscription?name=standard%2F42");
    await page.getByText("Repairs").click();
    expect(await page.getByLabel("Deleted license").inputValue()).toBe("334673");
    await press("It is gone…");
    await confirm("License 334673 of standard/42 will be recorded as deleted.");
    await minutes(1);
    expect(done(stack).at(-1)).toBe("order 334674");
  });

  it("replay and dismiss", async () => {
    await tell(stack, "payment.succeeded", { subscription: undefined }, { id: "msg_1" });
    await minutes(1);
    await page.goto("/");
    await press("Replay…");
    await confirm("The event standard/msg_1 will be read again");
    expect(await flash()).toContain("still not understood");
    await page.getByLabel("Reason").fill("a test of the shop");
    await press("Dismiss…");
    await confirm("The event standard/msg_1 will be taken off the attention list.");
    expect(await flash()).toBe("The event standard/msg_1 was dismissed.");
    await page.getByText("dismissed at").waitFor();
    expect(await page.getByText("a test of the shop").count()).toBe(1);
    await page.goto("/");
    await page.getByText("Nothing needs attention.").waitFor();
  });

  it("halt and resume", async () => {
    await page.goto("/");
    await page.getByLabel("Reason").fill("maintenance");
    await press("Halt all calls…");
    expect(await page.locator(".confirmation").textContent()).toContain("No license will be ordered");
    await press("Yes, halt all calls");
    await page.getByLabel("Halt").getByText("All calls are halted").waitFor();
    await buy();
    await minutes(1);
    expect(done(stack)).toEqual([]);
    await press("Resume all calls");
    expect(await flash()).toMatch(/The halt since .* \(maintenance\) is lifted/);
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  it("reconcile: compare, see the differences, and adopt an unassigned license", async () => {
    await buy("another");
    await minutes(1);
    await leaveOrderInCart();
    const reference = (await stateOf(stack))?.operation?.attempt?.params.comment ?? "";
    const elid = await buyInBillmgr({ comment: reference });
    await inBillmgr({ func: "platform.suspend", elid: "334673" });
    await page.goto("/account");
    await press("Compare");
    const comparison = page.locator("#comparison");
    await comparison.getByText("Not assigned to a subscription").waitFor();
    expect((await comparison.textContent())?.replace(/\s+/g, " ")).toMatch(
      /2 differences .*1 license of 2 subscriptions.*standard\/another334673statusactivestopped/,
    );
    await press("Adopt…");
    await confirm(`License ${elid} will be assigned to standard/42`);
    await minutes(2);
    await page.goto("/account");
    await press("Compare again");
    await comparison.getByText("1 difference ").waitFor();
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid } }]);
  });
});
