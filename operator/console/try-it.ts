/** Try it: the pages on which a newcomer acts as the shop, the clock, and a failing billmgr. */
import { html } from "hono/html";
import { count } from "../actions/format.ts";
import type { ConsoleContext, TryIt } from "./context.ts";
import { renderPage } from "./layout.ts";
import { button, type Html, postForm, urlOf, withFlash } from "./parts.ts";

/** An hour is enough to find out what a call without a response did. */
const durations = { PT1M: "a minute", PT1H: "an hour", P1D: "a day", P1M: "a month" };

/** The calls that can be made to fail. */
const functions = ["order", "prolong", "edit", "suspend", "resume", "delete"];

export async function tryPage(context: ConsoleContext, tryIt: TryIt, flash: string | undefined): Promise<Html> {
  const storefronts = await tryIt.storefronts();
  return renderPage(
    context,
    { title: "Try it", path: "/try", flash },
    html`<h1>Try it</h1>
<p>Here you are the shop, the clock, and a billmgr that fails. Each button sends the webhooks of that storefront, signed with its secret, to this system.</p>
<section aria-labelledby="buy-heading"><h2 id="buy-heading">A customer buys</h2>
<div class="repairs">${storefronts.map(({ name, plan }) =>
      plan === undefined
        ? html`<span class="quiet">${name}: no plan of the catalog is sold there</span>`
        : postForm(
            context.token,
            "/try/send",
            { storefront: name, step: "buy" },
            html`<button title="${plan}">Buy at ${name}</button>`,
          ),
    )}</div></section>
<section aria-labelledby="path-heading"><h2 id="path-heading">See a lost response in two minutes</h2>
<ol><li>Buy at any storefront. The page of the subscription opens, and the license is ordered.</li>
<li>On that page, advance the clock by a month. Then plan the fault <code>act_then_drop</code> for the next <code>prolong</code>: billmgr will do the work, but its response will be lost.</li>
<li>Click <em>pays the next period</em>. The outcome of the prolong is unknown. The system does not repeat it. It reads billmgr to find out.</li>
<li>Advance the clock by an hour. The prolong was found, and the period was bought once.</li></ol></section>
<section aria-labelledby="simulation-heading"><h2 id="simulation-heading">Clock and billmgr</h2>
${clockForms(context, "/try")}
${faultForms(context, tryIt, "/try")}</section>`,
  );
}

/** The controls on the page of a subscription, so that their effect is visible next to them. */
export async function tryForms(context: ConsoleContext, name: string): Promise<Html> {
  const { tryIt } = context;
  if (!tryIt) return html``;
  const [storefront = ""] = name.split("/");
  const isSold = (await tryIt.storefronts()).some((one) => one.name === storefront && one.plan !== undefined);
  const steps = Object.entries(tryIt.stepsAt(storefront)).filter(([step]) => step !== "buy");
  const back = urlOf("/subscription", { name });
  return html`<section class="try" aria-labelledby="try-heading"><h2 id="try-heading">Try it <span class="quiet">in the simulation</span></h2>
${isSold ? html`<div class="repairs"><span class="subject">The customer</span>${steps.map(([step, label]) => postForm(context.token, "/try/send", { storefront, step, name, back }, button(label)))}</div>` : ""}
${clockForms(context, back)}${faultForms(context, tryIt, back)}</section>`;
}

const clockForms = (context: ConsoleContext, back: string): Html =>
  html`<div class="repairs"><span class="subject">Advance the clock by</span>${Object.entries(durations).map(([by, label]) => postForm(context.token, "/try/advance", { by, back }, button(label)))}</div>`;

function faultForms(context: ConsoleContext, { faults }: TryIt, back: string): Html {
  const id = back.replace(/\W/g, "_");
  const plan = html`<label class="hidden" for="func-${id}">call</label><select id="func-${id}" name="func">${functions.map((func) => html`<option>${func}</option>`)}</select>
<label for="fault-${id}">fails by</label><select id="fault-${id}" name="fault">${Object.entries(faults.known).map(([fault, about]) => html`<option value="${fault}">${fault}: ${about}</option>`)}</select>${button("Plan this fault")}`;
  const pending = faults.pending();
  const list = pending.map(({ fault, func }) => `${fault}${func ? ` on ${func}` : ""}`).join(", ");
  const clear = html`<span class="badge wait">${count(pending.length, "fault")} planned: ${list}</span> ${button("Clear all faults")}`;
  return html`<div class="repairs"><span class="subject">billmgr's next</span>${postForm(context.token, "/try/fault", { back }, plan)}${pending.length > 0 ? postForm(context.token, "/try/fault", { back, clear: "yes" }, clear) : ""}</div>`;
}

/** @returns the page to show next @throws PreconditionFailed */
export async function executeTry(
  { flash }: ConsoleContext,
  tryIt: TryIt,
  action: string,
  fields: Record<string, unknown>,
): Promise<string> {
  const field = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  // Only pages of the console, so that a forged form cannot redirect elsewhere.
  const back = /^\/(try|subscription)(\?|$)/.test(field("back")) ? field("back") : "/try";
  const show = (url: string, message: string) => withFlash(url, flash.put(message));
  if (action === "send") {
    const { name, webhooks } = await tryIt.send(field("storefront"), field("step"), field("name") || undefined);
    const sent = webhooks.map(({ type, status }) => `${type} (answered ${status})`).join(", ");
    return show(
      urlOf("/subscription", { name }),
      sent ? `Sent ${sent}.` : "This storefront sends no webhook for that.",
    );
  }
  if (action === "advance") {
    const by = field("by");
    await tryIt.advance(by);
    return show(back, `The clock was advanced by ${(durations as Record<string, string>)[by] ?? by}.`);
  }
  if (field("clear")) {
    tryIt.faults.clear();
    return show(back, "All planned faults were cleared.");
  }
  tryIt.faults.plan(field("fault"), field("func"));
  return show(back, `Planned: the next ${field("func")} fails by ${field("fault")}.`);
}
