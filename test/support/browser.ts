import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

/** Debian's; another one by CHROMIUM. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

export const hasChromium = (): boolean => existsSync(executablePath);

/** Without its sandbox: in a container there is no right to make one, and it opens pages of here alone. */
export const startBrowser = (): Promise<Browser> => chromium.launch({ executablePath, args: ["--no-sandbox"] });
