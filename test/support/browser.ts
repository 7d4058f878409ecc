import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

/** Debian's; another one by CHROMIUM. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** In CI they must run: without Chromium they fail there instead of being skipped. */
export const runs = existsSync(executablePath) || process.env.CI === "true";

export const inChromium = runs ? "in Chromium" : `skipped: there is no ${executablePath}`;

/** Starts Chromium without its sandbox: a container may not create one, and the tests open only local pages. */
export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-lcd-text"] });

export type Watched = { page: Page; problems: string[] };

/** Opens a page that records its errors and its requests to other origins. */
export async function openIn(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const page = await (await browser.newContext({ baseURL: origin, ...options })).newPage();
  const problems: string[] = [];
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`)) problems.push(`asked for ${url}`);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    // Chromium also logs the expected statuses of a missing page and of a repair that does not apply.
    if (message.type() === "error" && !/status of (404|409)/.test(message.text())) problems.push(message.text());
  });
  return { page, problems };
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

type Found = { violations: { id: string; help: string; nodes: { html: string }[] }[] };

/** Expects no violation of axe's accessibility rules. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate("axe.run(document, { resultTypes: ['violations'] })")) as Found;
  const response = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`,
  );
  expect(response, `axe on ${page.url()}`).toEqual([]);
}
