/** The console: routes of the operator's pages for one system, with the repairs of `npm run ops`. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { OperatorDependencies } from "../actions/dependencies.ts";
import { accountPage } from "./account.ts";
import { streamChanges } from "./change-stream.ts";
import { createComparisonRunner } from "./comparison.ts";
import {
  confirmHaltPage,
  confirmRepairPage,
  executeHalt,
  executeRepair,
  executeResume,
  respondWithError,
} from "./confirm.ts";
import { type ConsoleContext, createFlashMessages, type TryIt } from "./context.ts";
import { eventPage, subscriptionEventPage } from "./event.ts";
import { createFigures } from "./figures.ts";
import { search } from "./find.ts";
import { guard } from "./guard.ts";
import { homePage } from "./home.ts";
import { renderPage } from "./layout.ts";
import { operationsPage } from "./operations.ts";
import type { Html } from "./parts.ts";
import { parseRepairRequest } from "./repairs.ts";
import { scheduledPage } from "./scheduled.ts";
import { subscriptionPage } from "./subscription.ts";
import { executeTry, tryPage } from "./try-it.ts";

/** @param accessKey the key that the first request must contain; without one, every user of this machine has access */
export function createConsole({
  accessKey,
  ...given
}: {
  deps: OperatorDependencies;
  where: string;
  tryIt?: TryIt;
  accessKey?: string;
}): Hono {
  const { deps, tryIt } = given;
  const context: ConsoleContext = {
    ...given,
    token: randomBytes(32).toString("hex"),
    flash: createFlashMessages(),
    figures: createFigures(deps.table, deps.now),
    comparison: createComparisonRunner(deps),
  };
  const app = new Hono();
  app.use(guard(context.token, accessKey));
  app.onError((error, c) => respondWithError(context, error, c));
  app.notFound((c) => notFound(c, "This page does not exist."));
  const notFound = async (c: Context, text: string) =>
    c.html(await renderPage(context, { title: "Not found" }, html`<h1>Not found</h1><p>${text}</p>`), 404);
  const respond = async (c: Context, page: Promise<Html | undefined>, missing = "") => {
    const content = await page;
    return content === undefined ? notFound(c, missing) : c.html(content);
  };
  const takeFlash = (c: Context) => context.flash.take(c.req.query("flash"));

  for (const [name, type] of Object.entries(assets)) {
    const text = readFileSync(new URL(`static/${name}`, import.meta.url));
    app.get(`/assets/${name}`, (c) => c.body(text, 200, { "content-type": type }));
  }
  app.get("/", (c) => respond(c, homePage(context, { ...c.req.query(), flash: takeFlash(c) })));
  app.get("/operations", (c) => respond(c, operationsPage(context, c.req.query())));
  app.get("/scheduled", (c) => respond(c, scheduledPage(context)));
  app.get("/account", (c) => respond(c, accountPage(context)));
  app.get("/live", (c) => streamChanges(context, c, c.req.query("topic") ?? "home"));
  app.get("/find", async (c) => {
    const found = await search(context, c.req.query("text") ?? "");
    return found.kind === "redirect" ? c.redirect(found.url, 303) : c.html(found.page);
  });
  app.get("/subscription", (c) => {
    const { name = "", at } = c.req.query();
    const query = { name, ...(at && { at }), flash: takeFlash(c) };
    return respond(c, subscriptionPage(context, query), `No subscription ${name} is known.`);
  });
  app.get("/event", (c) => {
    const { name, of = "", id = "" } = c.req.query();
    const page = name === undefined ? subscriptionEventPage(context, of, id) : eventPage(context, name, takeFlash(c));
    return respond(c, page, `No event ${name ?? id} is known.`);
  });

  app.get("/repair", (c) => respond(c, confirmRepairPage(context, parseRepairRequest(c.req.query()))));
  app.post("/repair", async (c) =>
    c.redirect(await executeRepair(context, parseRepairRequest(await c.req.parseBody())), 303),
  );
  const reasonIn = (fields: Record<string, unknown>) =>
    (typeof fields.reason === "string" && fields.reason.trim()) || "halted by an operator";
  app.get("/halt", (c) => respond(c, confirmHaltPage(context, reasonIn(c.req.query()))));
  app.post("/halt", async (c) => c.redirect(await executeHalt(context, reasonIn(await c.req.parseBody())), 303));
  app.post("/resume", async (c) => c.redirect(await executeResume(context), 303));
  app.post("/account", (c) => {
    context.comparison.start();
    return c.redirect("/account", 303);
  });

  if (tryIt) {
    app.get("/try", (c) => respond(c, tryPage(context, tryIt, takeFlash(c))));
    app.post("/try/:action{send|advance|fault}", async (c) =>
      c.redirect(await executeTry(context, tryIt, c.req.param("action"), await c.req.parseBody()), 303),
    );
  }
  return app;
}

const assets = {
  "style.css": "text/css; charset=utf-8",
  "live.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};
