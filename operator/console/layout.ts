/** The frame of every page. It contains no inline script or style, because the guard's policy forbids them. */
import { html, raw } from "hono/html";
import { nowOf } from "../actions/dependencies.ts";
import { moment } from "../actions/format.ts";
import type { ConsoleContext } from "./context.ts";
import { button, fullTime, type Html, postForm } from "./parts.ts";

export type PageOptions = {
  title: string;
  /** The page's entry in the navigation. */
  path?: string;
  /** The `/live` topic of the page. A page without one is not updated. */
  live?: string;
  flash?: string | undefined;
};

export async function renderPage(context: ConsoleContext, options: PageOptions, content: Html | Html[]): Promise<Html> {
  const { deps, where, tryIt } = context;
  const halt = await deps.table.halt();
  const navigation: [string, string][] = [
    ["/", "Home"],
    ["/operations", "Operations"],
    ["/account", "Reconcile"],
    ...(tryIt ? [["/try", "Try it"] as [string, string]] : []),
  ];
  return html`${raw("<!doctype html>")}
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${options.title} · billmgr-webhooks</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/style.css">
${options.live === undefined ? "" : html`<script src="/assets/live.js" data-live="${options.live}" defer></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header>
<p class="brand"><a href="/">billmgr-webhooks</a> <span class="where">${where}</span></p>
<nav aria-label="Pages"><ul>${navigation.map(
    ([path, name]) =>
      html`<li><a href="${path}"${path === options.path ? html` aria-current="page"` : ""}>${name}</a></li>`,
  )}</ul></nav>
<form class="search" method="get" action="/find" role="search">
<label class="hidden" for="find">Find a subscription by id, customer, e-mail, license, or reference</label>
<input id="find" name="text" type="search" placeholder="id, customer, e-mail, license, reference" autocomplete="off" required>
<button>Find</button>
</form>
<p class="clock"><time datetime="${nowOf(deps)}">${moment(nowOf(deps)).slice(0, 16)}</time> UTC</p>
</header>
<main id="main">
${options.flash === undefined ? "" : html`<p class="flash" role="status">${options.flash}</p>`}
<div id="halt" data-live>${
    halt &&
    html`<section class="banner bad" aria-label="Halt"><p><strong>All calls are halted</strong> since ${fullTime(halt.since, true)}: ${halt.reason}</p>
<p>Webhooks are still accepted. Fix the cause, then resume.</p>
${postForm(context.token, "/resume", {}, button("Resume all calls", "primary"))}</section>`
  }</div>
${content}
</main>
<footer><p>All times are UTC.${options.live === undefined ? "" : html` <span id="live" role="status"></span>`}</p></footer>
</body>
</html>`;
}
