import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inChromium, openIn, runs, startBrowser } from "../support/browser.ts";
import { advanceMinutes, done, inDays, orderForm, paid, postToBillmgr, stateOf, tell } from "../support/local.ts";
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
  /** Says yes to what it means, once that was read. */
  const agreeTo = async (meaning: string) => {
    expect(await page.locator(".meaning").textContent()).toContain(meaning);
    await press("Yes, do it");
  };
  const response = () => page.locator(".note").textContent();
  /** An order that lies in billmgr's basket. */
  const lose = async () => {
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await minutes(15);
    await page.goto("/");
  };
  const buyInBillmgr = async (more: Record<string, string>) => {
    await inBillmgr({ ...orderForm, ...more });
    return String(stack.sandbox?.licenses().at(-1)?.id);
  };

  it("try again", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await buy();
    await minutes(1);
    await page.goto("/");
    await press("Try again");
    expect(await response()).toContain("standard/42 is woken");
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  it("it was never bought", async () => {
    await lose();
    await press("It was never bought…");
    await agreeTo("If you are wrong it is bought twice.");
    expect(await response()).toContain("operation 1, order vmmanager6 for a month: gave_up");
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  it("nothing is done by whoever goes back", async () => {
    await lose();
    await press("It was never bought…");
    await page.getByRole("link", { name: "No, go back" }).click();
    expect(page.url()).toContain("/subscription");
    expect((await stateOf(stack))?.operation?.state).toBe("unknown");
  });

  it("adopt", async () => {
    await lose();
    const reference = (await stateOf(stack))?.operation?.attempt?.params.comment ?? "";
    const elid = await buyInBillmgr({ comment: reference });
    await page.getByLabel("it was bought as license").fill(elid);
    await press("Adopt…");
    await agreeTo(`License ${elid} becomes the one of standard/42`);
    await minutes(2);
    await page.getByText("in order").waitFor();
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid } }]);
  });

  it("adopt what billmgr does not know is refused, and says so", async () => {
    await lose();
    await page.getByLabel("it was bought as license").fill("999999");
    await press("Adopt…");
    await press("Yes, do it");
    await page.getByText("billmgr knows no license 999999 of platform").waitFor();
    expect((await stateOf(stack))?.operation?.state).toBe("unknown");
  });

  it("it is done", async () => {
    await buy();
    await minutes(1);
    stack.sandbox?.configure({ formHides: ["addons"] });
    stack.sandbox?.plan({ fault: "act_then_drop", func: "edit" });
    await tell(stack, "subscription.changed", { plan: "vm6-monthly", quantity: 4 });
    await minutes(26 * 60);
    await page.goto("/");
    await press("It is done…");
    await agreeTo("counts as done.");
    expect((await stateOf(stack))?.operation).toMatchObject({ outcome: "done", resolved: { as: "done" } });
  });

  it("it is gone", async () => {
    await buy();
    await minutes(1);
    await inBillmgr({ func: "platform.delete", elid: "334673", sok: "ok" });
    await page.goto("/subscription?name=standard%2F42");
    await page.getByText("Repairs").click();
    expect(await page.getByLabel("somebody deleted license").inputValue()).toBe("334673");
    await press("It is gone…");
    await agreeTo("License 334673 of standard/42 is gone. If it is entitled, a new one is ordered.");
    await minutes(1);
    expect(done(stack).at(-1)).toBe("order 334674");
  });

  it("read it again, and dismiss", async () => {
    await tell(stack, "payment.succeeded", { subscription: undefined }, { id: "msg_1" });
    await minutes(1);
    await page.goto("/");
    await press("Read it again…");
    await agreeTo("The event standard/msg_1 is read again");
    expect(await response()).toContain("still not understood");
    await page.getByLabel("because").fill("a test of the shop");
    await press("Dismiss…");
    await agreeTo("Nobody is asked about the event standard/msg_1 any more");
    expect(await response()).toBe("event standard/msg_1 is off the list");
    await page.getByText("dismissed at").waitFor();
    expect(await page.getByText("a test of the shop").count()).toBe(1);
    await page.goto("/");
    await page.getByText("Nothing needs a person.").waitFor();
  });

  it("halt and resume", async () => {
    await page.goto("/");
    await page.getByLabel("because").fill("maintenance");
    await press("Halt all calls…");
    expect(await page.locator(".meaning").textContent()).toContain("Nothing is bought");
    await press("Yes, halt all calls");
    await page.getByLabel("Halt").getByText("All calls are halted").waitFor();
    await buy();
    await minutes(1);
    expect(done(stack)).toEqual([]);
    await press("Let all calls go again");
    expect(await response()).toMatch(/the halt of .* \(maintenance\) is lifted/);
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673"]);
  });

  it("the account: compare, see the differences, adopt what is held by nobody", async () => {
    await buy("another");
    await minutes(1);
    await lose();
    const reference = (await stateOf(stack))?.operation?.attempt?.params.comment ?? "";
    const elid = await buyInBillmgr({ comment: reference });
    await inBillmgr({ func: "platform.suspend", elid: "334673" });
    await page.goto("/account");
    await press("Compare");
    const comparison = page.locator("#comparison");
    await comparison.getByText("Held by no subscription").waitFor();
    expect((await comparison.textContent())?.replace(/\s+/g, " ")).toMatch(
      /2 differences .*1 license of 2 subscriptions.*standard\/another334673statusactivestopped/,
    );
    await press("Adopt…");
    await agreeTo(`License ${elid} becomes the one of standard/42`);
    await minutes(2);
    await page.goto("/account");
    await press("Compare again");
    await comparison.getByText("1 difference ").waitFor();
    expect((await stateOf(stack))?.slots).toMatchObject([{ license: { elid } }]);
  });
});
