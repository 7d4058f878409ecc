import { html } from "hono/html";
import { count } from "../actions/format.ts";
import type { Desk, TryIt } from "./context.ts";
import { page } from "./layout.ts";
import { button, changeForm, type Html, to } from "./parts.ts";

/** What the time is moved by. An answer that was lost is settled within the hour. */
const moves = { PT1M: "a minute", PT1H: "an hour", P1D: "a day", P1M: "a month" };

/** The calls that a fault can be planned for. */
const calls = ["order", "prolong", "edit", "suspend", "resume", "delete"];

/** The beginning of all: be the shop, and buy something. */
export async function tryPage(desk: Desk, tryIt: TryIt, note: string | undefined): Promise<Html> {
  const storefronts = await tryIt.storefronts();
  return page(
    desk,
    { title: "Try it", here: "/try", note },
    html`<h1>Try it</h1>
<p>Here you are the shop, the time, and billmgr on a bad day. Each button sends what that storefront would send, signed with its secret, to this system's own webhook.</p>
<section aria-labelledby="buy-heading"><h2 id="buy-heading">A customer buys</h2>
<div class="repairs">${storefronts.map(({ name, plan }) =>
      plan === undefined
        ? html`<span class="quiet">${name}: the catalog sells nothing there</span>`
        : changeForm(
            desk.token,
            "/try/tell",
            { storefront: name, step: "buy" },
            html`<button title="${plan}">Buy at ${name}</button>`,
          ),
    )}</div></section>
<section aria-labelledby="path-heading"><h2 id="path-heading">A lost answer, in two minutes</h2>
<ol><li>Buy at any storefront. Its page opens, where the life of what was bought goes on; the license is ordered.</li>
<li>There, let the time go on by a month, and plan for billmgr's next <code>prolong</code> that it goes wrong by <code>act_then_drop</code>: billmgr will do it, and its answer will be lost.</li>
<li>The customer <em>pays the next period</em>. What the prolong did is not known: it is not made again, but looked for.</li>
<li>Let an hour pass: it was found, and the period was bought once.</li></ol></section>
<section aria-labelledby="world-heading"><h2 id="world-heading">The time and billmgr</h2>
${timeForms(desk, "/try")}
${faultForms(desk, tryIt, "/try")}</section>`,
  );
}

/** What can be done to one subscription: beside its life, so that it can be watched. */
export async function tryForms(desk: Desk, name: string): Promise<Html> {
  const { tryIt } = desk;
  if (!tryIt) return html``;
  const [storefront = ""] = name.split("/");
  const sold = (await tryIt.storefronts()).some((one) => one.name === storefront && one.plan !== undefined);
  const steps = Object.entries(tryIt.stepsAt(storefront)).filter(([step]) => step !== "buy");
  const back = to("/subscription", { name });
  return html`<section class="try" aria-labelledby="try-heading"><h2 id="try-heading">Try it <span class="quiet">in the simulation</span></h2>
${sold ? html`<div class="repairs"><span class="what">the customer</span>${steps.map(([step, label]) => changeForm(desk.token, "/try/tell", { storefront, step, name, back }, button(label)))}</div>` : ""}
${timeForms(desk, back)}${faultForms(desk, tryIt, back)}</section>`;
}

const timeForms = (desk: Desk, back: string): Html =>
  html`<div class="repairs"><span class="what">the time goes on by</span>${Object.entries(moves).map(([by, label]) => changeForm(desk.token, "/try/advance", { by, back }, button(label)))}</div>`;

function faultForms(desk: Desk, { faults }: TryIt, back: string): Html {
  const pending = faults.pending();
  const id = back.replace(/\W/g, "_");
  return html`<div class="repairs"><span class="what">billmgr's next</span>${changeForm(
    desk.token,
    "/try/fault",
    { back },
    html`<label class="hidden" for="func-${id}">call</label><select id="func-${id}" name="func">${calls.map((call) => html`<option>${call}</option>`)}</select>
<label for="fault-${id}">goes wrong:</label><select id="fault-${id}" name="fault">${Object.entries(faults.known).map(([fault, about]) => html`<option value="${fault}">${fault}: ${about}</option>`)}</select>${button("Plan it")}`,
  )}${pending.length > 0 ? changeForm(desk.token, "/try/fault", { back, clear: "yes" }, html`<span class="badge wait">${count(pending.length, "fault")} planned: ${pending.map(({ fault, func }) => `${fault}${func ? ` of ${func}` : ""}`).join(", ")}</span> ${button("Forget them")}`) : ""}</div>`;
}

/** A change of the try-out. @returns where to go on @throws Unfit */
export async function makeTry(desk: Desk, tryIt: TryIt, act: string, fields: Record<string, unknown>): Promise<string> {
  const field = (name: string): string => (typeof fields[name] === "string" ? fields[name] : "");
  // Only to a page of here.
  const back = /^\/(try|subscription)(\?|$)/.test(field("back")) ? field("back") : "/try";
  const goOn = (place: string, note: string) =>
    `${place}${place.includes("?") ? "&" : "?"}note=${desk.notes.leave(note)}`;
  if (act === "tell") {
    const { name, webhooks } = await tryIt.tell(field("storefront"), field("step"), field("name") || undefined);
    const sent = webhooks.map(({ type, status }) => `${type}, answered ${status}`).join("; ");
    return goOn(to("/subscription", { name }), sent ? `Told: ${sent}.` : "This storefront tells nothing then.");
  }
  if (act === "advance") {
    const by = field("by");
    await tryIt.advance(by);
    return goOn(back, `The time went on by ${(moves as Record<string, string>)[by] ?? by}.`);
  }
  if (field("clear")) tryIt.faults.clear();
  else tryIt.faults.plan(field("fault"), field("func"));
  return goOn(
    back,
    field("clear") ? "No fault is planned any more." : `Planned: ${field("fault")}, at the next ${field("func")}.`,
  );
}
