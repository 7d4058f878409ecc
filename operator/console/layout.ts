import { html, raw } from "hono/html";
import { nowOf } from "../actions/dependencies.ts";
import { moment } from "../actions/format.ts";
import type { Desk } from "./context.ts";
import { button, changeForm, type Html } from "./parts.ts";

export type Frame = {
  title: string;
  /** The page in the navigation that this is. */
  here?: string;
  /** What the page tells of may change: what it asks `/live` about, so that it is drawn anew. */
  live?: string;
  /** What was done just now. */
  note?: string | undefined;
};

/** The page around its content. Nothing is inline, as the guard's policy wants it. */
export async function page(desk: Desk, frame: Frame, content: Html | Html[]): Promise<Html> {
  const { world: deps, where, tryIt } = desk;
  const halt = await deps.table.halt();
  const places: [string, string][] = [
    ["/", "Home"],
    ["/operations", "Operations"],
    ["/account", "Account"],
    ...(tryIt ? [["/try", "Try it"] as [string, string]] : []),
  ];
  return html`${raw("<!doctype html>")}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${frame.title} · billmgr-webhooks</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
${frame.live === undefined ? "" : html`<script src="/assets/live.js" data-live="${frame.live}" defer></script>`}
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header>
<p class="brand"><a href="/">billmgr-webhooks</a> <span class="where">${where}</span></p>
<nav aria-label="Pages"><ul>${places.map(
    ([path, name]) =>
      html`<li><a href="${path}"${path === frame.here ? html` aria-current="page"` : ""}>${name}</a></li>`,
  )}</ul></nav>
<form class="search" method="get" action="/find" role="search">
<label class="hidden" for="find">Find a subscription by its id, customer, e-mail, license or reference</label>
<input id="find" name="text" type="search" placeholder="id, customer, e-mail, license, reference" autocomplete="off" required>
<button>Find</button>
</form>
<p class="clock"><time datetime="${nowOf(deps)}">${moment(nowOf(deps)).slice(0, 16)}</time> UTC</p>
</header>
<main id="main">
${frame.note === undefined ? "" : html`<p class="note" role="status">${frame.note}</p>`}
<div id="halt" data-live>${
    halt &&
    html`<section class="banner bad" aria-label="Halt"><p><strong>All calls are halted</strong> since ${moment(halt.since)}: ${halt.reason}. Webhooks are still accepted. Mend the cause, then let them go.</p>
${changeForm(desk.token, "/resume", {}, button("Let all calls go again", "primary"))}</section>`
  }</div>
${content}
</main>
<footer><p>All times are UTC.${frame.live === undefined ? "" : html` <span id="live" role="status"></span>`}</p></footer>
</body>
</html>`;
}
