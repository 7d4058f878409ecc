import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { expectAccessible, inChromium, openIn, runs, startBrowser } from "../support/browser.ts";
import { change } from "../support/console.ts";
import { advanceMinutes, inDays, paid, tell } from "../support/local.ts";
import { useSharedTestStack } from "../support/test-stack.ts";

const it = test.runIf(runs);

/** Fills the system with one of everything: bought, lost, refused, halted, not understood. */
async function fill(stack: LocalStack): Promise<void> {
  const minutes = (count: number) => advanceMinutes(stack, count);
  const buy = (subscription: string) =>
    tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }), { id: `msg_${subscription}` });
  await buy("first");
  await minutes(1);
  stack.sandbox?.plan({ fault: "act_then_drop", func: "edit" });
  await tell(stack, "subscription.changed", { subscription: "first", plan: "vm6-monthly", quantity: 3 });
  await minutes(10);
  stack.sandbox?.plan({ fault: "basket", func: "order" });
  await buy("cart");
  await minutes(10);
  await tell(stack, "payment.succeeded", { subscription: undefined }, { id: "msg_unparseable" });
  stack.sandbox?.plan({ fault: "act_then_drop", func: "order" });
  await buy("open");
  await change(stack, "/halt", { reason: "to see it" });
  await stack.table.putBalance({ amount: 1, currency: "EUR", at: stack.clock.now().toISOString(), low: true });
}

describe(inChromium, () => {
  const stack = useSharedTestStack();
  let browser: Browser;
  beforeAll(async () => {
    if (!runs) return;
    await fill(stack);
    browser = await startBrowser();
  });
  afterAll(() => browser?.close());

  const paths = {
    home: "/",
    operations: "/operations",
    scheduled: "/scheduled",
    "a subscription": "/subscription?name=standard%2Ffirst&at=2027-03-01",
    "a subscription that needs attention": "/subscription?name=standard%2Fcart",
    "an event without a subscription": "/event?name=standard%2Fmsg_unparseable",
    "an event of a subscription": "/event?of=standard%2Ffirst&id=msg_first",
    "a search without a match": "/find?text=nobody",
    "a confirmation": "/repair?repair=never-bought&name=standard%2Fcart",
    "a halt": "/halt?reason=x",
    reconcile: "/account",
    "try it": "/try",
    "an unknown page": "/nowhere",
  };
  it.each(Object.entries(paths))(
    "%s is accessible in light and dark mode, and loads nothing from elsewhere",
    { timeout: 30_000 },
    async (_, path) => {
      for (const colorScheme of ["light", "dark"] as const) {
        const { page, problems } = await openIn(browser, stack.url, { colorScheme });
        const answer = await page.goto(path, { waitUntil: "load" });
        expect(answer?.status()).toBe(path === "/nowhere" ? 404 : 200);
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
        await expectAccessible(page);
        expect(problems).toEqual([]);
        await page.context().close();
      }
    },
  );

  it("works without JavaScript", async () => {
    const { page } = await openIn(browser, stack.url, { javaScriptEnabled: false });
    await page.goto("/");
    await page.getByRole("link", { name: "standard/cart" }).first().click();
    await page.getByRole("button", { name: "Retry" }).click();
    expect(await page.getByText("standard/cart is being processed again").count()).toBe(1);
    await page.context().close();
  });

  it("a repair works with only the keyboard", async () => {
    const { page } = await openIn(browser, stack.url);
    await page.goto("/event?name=standard%2Fmsg_unparseable");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(new URL(page.url()).hash).toBe("#main");
    const tabTo = async (text: string) => {
      const focused = () => page.evaluate("document.activeElement.textContent") as Promise<string>;
      for (let i = 0; i < 9 && (await focused()) !== text; i++) await page.keyboard.press("Tab");
      expect(await focused()).toBe(text);
    };
    await tabTo("Replay…");
    await page.keyboard.press("Enter");
    await page.getByText("Are you sure?").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await tabTo("Yes, do it");
    await page.keyboard.press("Enter");
    await page.getByText("still not understood").waitFor();
    await page.context().close();
  });

  it("fits a narrow screen: only wide elements scroll", async () => {
    const { page } = await openIn(browser, stack.url, { viewport: { width: 390, height: 800 } });
    for (const path of ["/", "/subscription?name=standard%2Ffirst"]) {
      await page.goto(path);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    }
    await page.context().close();
  });
});
