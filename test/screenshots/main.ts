import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startBrowser } from "../support/browser.ts";
import { startScene } from "./scene.ts";

/** Takes the screenshots in docs/images: the console on a morning with two attention items. */
const folder = fileURLToPath(new URL("../../docs/images/", import.meta.url));
mkdirSync(folder, { recursive: true });
const { stack, subscription } = await startScene();
const browser = await startBrowser();
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  for (const [name, path] of Object.entries({ home: "/", subscription: `/subscription?name=${subscription}` })) {
    await page.goto(stack.url + path, { waitUntil: "load" });
    await page.screenshot({ path: `${folder}${name}.png`, fullPage: name === "home" });
    console.log(`docs/images/${name}.png`);
  }
} finally {
  await browser.close();
  await stack.stop();
}
