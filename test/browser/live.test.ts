import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inChromium, openIn, runs, startBrowser } from "../support/browser.ts";
import { change } from "../support/console.ts";
import { advanceMinutes, inDays, paid, tell } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const it = test.runIf(runs);

describe(`an open page is updated, ${inChromium}`, () => {
  let browser: Browser;
  const stack = useTestStack();
  let page: Page;
  let problems: string[];
  beforeAll(async () => {
    if (runs) browser = await startBrowser();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    await buy("first");
    await minutes(1);
    ({ page, problems } = await openIn(browser, stack.url));
  });
  afterEach(() => page?.context().close());

  const minutes = (count: number) => advanceMinutes(stack, count);
  const buy = (subscription: string) => tell(stack, "payment.succeeded", paid(inDays(stack, 30), { subscription }));
  const open = async (path: string) => {
    await page.goto(path);
    await page.getByText("Live.").waitFor();
  };

  it("home shows new operations and attention items without a reload", async () => {
    await open("/");
    await buy("live");
    await minutes(1);
    await page.locator("#operations").getByRole("link", { name: "standard/live" }).waitFor();
    await tell(stack, "payment.succeeded", { subscription: undefined }, { id: "msg_live" });
    await stack.settle();
    await page.locator("#attention").getByText("standard/msg_live").waitFor();
    expect(problems).toEqual([]);
  });

  it.each(["/", "/account", "/subscription?name=standard%2Ffirst"])(
    "%s shows a halt, and that it was lifted",
    async (path) => {
      await open(path);
      await change(stack, "/halt", { reason: "to see it" });
      await page.getByLabel("Halt").getByText("to see it").waitFor();
      await change(stack, "/resume", {});
      await page.getByLabel("Halt", { exact: true }).waitFor({ state: "detached" });
    },
  );

  it("home shows that processing is behind when only the time changes", async () => {
    const key = "subscription#standard/first" as const;
    const stored = await stack.table.load(key);
    const soon = new Date(stack.clock.now().getTime() + 60_000).toISOString();
    if (stored) await stack.table.save(key, { ...stored, due: soon });
    await open("/");
    stack.clock.moveTo(inDays(stack, 0.01));
    await page.getByText("Processing is behind").waitFor();
  });

  it("a part in use is updated after it is left, and marked as outdated until then", async () => {
    await open("/subscription?name=standard%2Ffirst");
    await page.getByText("Repairs").click();
    await tell(stack, "subscription.changed", { subscription: "first", plan: "vm6-monthly", quantity: 7 });
    await stack.settle();
    await page.getByText("Changed. The part you are using").waitFor();
    expect(await page.locator("#state").textContent()).toContain("1 × vm6-monthly");
    await page.getByText("Repairs").click();
    await page.locator("h1").click();
    await page.locator("#state").getByText("7 × vm6-monthly").waitFor();
    await page.getByText("Live.").waitFor();
  });

  it("a page that cannot be loaded is marked as outdated until it can", async () => {
    await open("/");
    const isHome = (url: URL) => url.pathname === "/";
    await page.route(isHome, (route) => route.fulfill({ status: 500 }));
    await change(stack, "/halt", { reason: "to see it" });
    await page.getByText("This page has changed but could not be loaded").waitFor();
    await page.unroute(isHome);
    await change(stack, "/resume", {});
    await page.getByText("Live.").waitFor();
  });

  it("a page is loaded once at a time, however often something changes", async () => {
    await open("/");
    let [concurrent, maxConcurrent] = [0, 0];
    await page.route(
      (url) => url.pathname === "/",
      async (route) => {
        maxConcurrent = Math.max(maxConcurrent, ++concurrent);
        const response = await route.fetch();
        concurrent--;
        await route.fulfill({ response });
      },
    );
    const answered = page.waitForResponse((response) => new URL(response.url()).pathname === "/");
    await page.evaluate("for (let i = 0; i < 5; i++) void update();");
    await answered;
    expect(maxConcurrent).toBe(1);
  });

  it("an input in use is not replaced", async () => {
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy("filled");
    await minutes(15);
    await open("/subscription?name=standard%2Ffilled");
    await page.getByLabel("It was bought as license").fill("3346");
    await tell(stack, "subscription.changed", { subscription: "filled", plan: "vm6-monthly", quantity: 7 });
    await stack.settle();
    await page.locator("#history").getByText("7 × vm6-monthly").first().waitFor();
    expect(await page.getByLabel("It was bought as license").inputValue()).toBe("3346");
  });
});
