import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { expectAccessible, inChromium, openIn, runs, startBrowser } from "../support/browser.ts";
import { secrets } from "../support/local.ts";

const it = test.runIf(runs);
const root = fileURLToPath(new URL("../..", import.meta.url));

describe(`a newcomer, ${inChromium}`, () => {
  let folder: string;
  let child: ChildProcess | undefined;
  let url = "";
  let browser: Browser;
  beforeAll(async () => {
    if (!runs) return;
    folder = mkdtempSync(join(tmpdir(), "billmgr-webhooks-"));
    writeFileSync(join(folder, "secrets.json"), secrets);
    const args = ["local/main.ts", "--port", "0", "--secrets", join(folder, "secrets.json")];
    child = spawn(process.execPath, args, { cwd: root });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (piece) => (output += piece));
    url = await vi.waitFor(() => /listening at (\S+)/.exec(output)?.[1] ?? Promise.reject(new Error(output)), 30_000);
    browser = await startBrowser();
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    child?.kill("SIGKILL");
    if (folder) rmSync(folder, { recursive: true });
  });

  it("buys, loses a response, and sees that the period is bought once", { timeout: 60_000 }, async () => {
    const { page, problems } = await openIn(browser, url);
    const press = async (name: string) => {
      await page.getByRole("button", { name, exact: true }).click();
      await page.locator(".flash").waitFor();
    };
    await page.goto("/");
    await page.getByRole("link", { name: "Try it" }).click();
    await press("Buy at stripe");
    expect(await page.locator(".flash").textContent()).toContain("invoice.paid (answered 200)");
    await press("a minute");
    await page.getByText("up to date").waitFor();
    await press("a month");

    await page.getByLabel("call", { exact: true }).selectOption("prolong");
    await page.getByLabel("fails by").selectOption("act_then_drop");
    await press("Plan this fault");
    await press("pays the next period");
    await page.locator("#state").getByText("scheduled").waitFor();
    await page
      .locator("#state")
      .getByText(/operation 2, prolong license \d+ to .*: unknown/)
      .waitFor();
    expect(await page.locator("svg.timeline rect.unknown").count()).toBe(1);

    await press("an hour");
    await page.locator("#state").getByText("up to date").waitFor();
    expect(await page.locator("#operation-2").textContent()).toMatch(/checked, achieved/);
    const timeline = await page.locator("#timeline-desc").textContent();
    expect(timeline).toMatch(/operation 2, outcome unknown: done/);
    await expectAccessible(page);

    const ledger = (await (await fetch(`${url}/sandbox/ledger`)).json()) as { operation: string }[];
    expect(ledger.map(({ operation }) => operation)).toEqual(["order", "prolong"]);
    expect(problems).toEqual([]);
  });
});
