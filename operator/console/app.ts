import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import type { OperatorDependencies } from "../actions/dependencies.ts";
import { accountPage, createAccount } from "./account.ts";
import { askedIn, confirmHaltPage, confirmPage, makeHalt, makeRepair, makeResume, refusal } from "./confirm.ts";
import { createNotes, type Desk, type TryIt } from "./context.ts";
import { eventOfPage, eventPage } from "./event.ts";
import { createFigures } from "./figures.ts";
import { find } from "./find.ts";
import { guard } from "./guard.ts";
import { homePage, waitingListPage } from "./home.ts";
import { page } from "./layout.ts";
import { live } from "./live.ts";
import { operationsPage } from "./operations.ts";
import type { Html } from "./parts.ts";
import { subscriptionPage } from "./subscription.ts";
import { makeTry, tryPage } from "./try.ts";

/** The operator's page before one system: what its table holds, and the repairs of `npm run ops`. */
export function createConsole({
  key,
  ...given
}: {
  world: OperatorDependencies;
  where: string;
  tryIt?: TryIt;
  key?: string;
}): Hono {
  const { world: deps, tryIt } = given;
  const desk: Desk = {
    ...given,
    token: randomBytes(32).toString("hex"),
    notes: createNotes(),
    figures: createFigures(deps.table, deps.now),
    account: createAccount(deps),
  };
  const app = new Hono();
  app.use(guard(desk.token, key));
  app.onError((error, context) => refusal(desk, error, context));
  app.notFound((context) => missing(context, "There is no such page."));
  const missing = async (context: Context, what: string) =>
    context.html(await page(desk, { title: "Not found" }, html`<h1>Not found</h1><p>${what}</p>`), 404);
  const shown = async (context: Context, found: Promise<Html | undefined>, what = "") => {
    const content = await found;
    return content === undefined ? missing(context, what) : context.html(content);
  };
  const noteOf = (context: Context) => desk.notes.take(context.req.query("note"));

  for (const [name, type] of Object.entries(assets)) {
    const text = readFileSync(new URL(`static/${name}`, import.meta.url));
    app.get(`/assets/${name}`, (context) => context.body(text, 200, { "content-type": type }));
  }
  app.get("/", (context) => shown(context, homePage(desk, { ...context.req.query(), note: noteOf(context) })));
  app.get("/operations", (context) => shown(context, operationsPage(desk, context.req.query())));
  app.get("/waiting", (context) => shown(context, waitingListPage(desk)));
  app.get("/account", (context) => shown(context, accountPage(desk)));
  app.get("/live", (context) => live(desk, context, context.req.query("topic") ?? "home"));
  app.get("/find", async (context) => {
    const found = await find(desk, context.req.query("text") ?? "");
    return "goTo" in found ? context.redirect(found.goTo, 303) : context.html(found.page);
  });
  app.get("/subscription", (context) => {
    const { name = "", at } = context.req.query();
    const query = { name, ...(at && { at }), note: noteOf(context) };
    return shown(context, subscriptionPage(desk, query), `No subscription ${name} is known.`);
  });
  app.get("/event", (context) => {
    const { name, of = "", id = "" } = context.req.query();
    const found = name === undefined ? eventOfPage(desk, of, id) : eventPage(desk, name, noteOf(context));
    return shown(context, found, `No event ${name ?? id} is known.`);
  });

  app.get("/repair", (context) => shown(context, confirmPage(desk, askedIn(context.req.query()))));
  app.post("/repair", async (context) =>
    context.redirect(await makeRepair(desk, askedIn(await context.req.parseBody())), 303),
  );
  const reasonIn = (fields: Record<string, unknown>) =>
    (typeof fields.reason === "string" && fields.reason.trim()) || "halted by an operator";
  app.get("/halt", (context) => shown(context, confirmHaltPage(desk, reasonIn(context.req.query()))));
  app.post("/halt", async (context) =>
    context.redirect(await makeHalt(desk, reasonIn(await context.req.parseBody())), 303),
  );
  app.post("/resume", async (context) => context.redirect(await makeResume(desk), 303));
  app.post("/account", (context) => {
    desk.account.begin();
    return context.redirect("/account", 303);
  });

  if (tryIt) {
    app.get("/try", (context) => shown(context, tryPage(desk, tryIt, noteOf(context))));
    app.post("/try/:act{tell|advance|fault}", async (context) =>
      context.redirect(await makeTry(desk, tryIt, context.req.param("act"), await context.req.parseBody()), 303),
    );
  }
  return app;
}

const assets = {
  "style.css": "text/css; charset=utf-8",
  "live.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};
