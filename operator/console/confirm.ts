import type { Context } from "hono";
import { html } from "hono/html";
import { PreconditionFailed, ReadError } from "../../shared/errors.ts";
import { keyNamed, unknownSubscription } from "../actions/dependencies.ts";
import { dismiss, replay, replayOf } from "../actions/events.ts";
import {
  meaning,
  meaningOf,
  sayDismissed,
  sayHalted,
  sayRepaired,
  sayReplayed,
  sayResumed,
} from "../actions/format.ts";
import { halt, resume } from "../actions/halt.ts";
import { operatorMessage } from "../actions/operator-message.ts";
import { latestOf, type Resolution, resolve, retry } from "../actions/repair.ts";
import type { Desk } from "./context.ts";
import { page } from "./layout.ts";
import { button, changeForm, type Html, outside, subscriptionAt, to } from "./parts.ts";
import type { Asked } from "./repairs.ts";

export const askedIn = (fields: Record<string, unknown>): Asked => {
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === "string" && value !== "" ? value.trim() : undefined;
  };
  return {
    repair: text("repair") ?? "",
    name: text("name") ?? "",
    event: text("event"),
    elid: text("elid"),
    why: text("why"),
    operation: text("operation"),
  };
};

const placeOf = ({ repair, name, event }: Asked): string =>
  (repair === "replay" && event === undefined) || repair === "dismiss" ? to("/event", { name }) : subscriptionAt(name);

/** What the repair means, and the button that makes it: of the operation as it is now, and of no later one. @throws Unfit */
export async function confirmPage(desk: Desk, asked: Asked): Promise<Html> {
  const { repair, name, event, elid, why } = asked;
  const { means, operation } = await meaningIn(asked, desk);
  return page(
    desk,
    { title: `${repair} ${event ?? name}: are you certain?` },
    html`<h1>Are you certain?</h1><p class="meaning">${means}</p>
<div class="repairs">${changeForm(desk.token, "/repair", { repair, name, event, elid, why, operation }, button("Yes, do it", "primary"))} <a href="${placeOf(asked)}">No, go back</a></div>`,
  );
}

async function meaningIn(asked: Asked, { world: deps }: Desk): Promise<{ means: string; operation?: string }> {
  const { repair, name, event } = asked;
  if (repair === "replay") return { means: meaningOf.replay(name, event) };
  if (repair === "dismiss") return { means: meaningOf.dismiss(name) };
  const key = keyNamed("subscription", name);
  const { subscription } = (await deps.table.load(key)) ?? {};
  if (!subscription) throw unknownSubscription(key);
  const resolution = { ...resolutionOf(asked), operation: latestOf(subscription) };
  return { means: meaning(name, resolution, subscription.operation), operation: String(resolution.operation) };
}

function resolutionOf({ repair, elid = "" }: Asked): Resolution {
  if (repair === "adopt" || repair === "gone") return { as: repair, elid };
  if (repair === "never-bought" || repair === "done") return { as: repair };
  throw new PreconditionFailed(`there is no repair "${repair}"`);
}

/** As it was confirmed: another tab, or going back, may show one of long ago. */
function resolutionIn(asked: Asked): Resolution & { operation: number } {
  if (!/^\d{1,6}$/.test(asked.operation ?? ""))
    throw new PreconditionFailed("say first of which operation: by the page of the subscription");
  return { ...resolutionOf(asked), operation: Number(asked.operation) };
}

/** Makes it. @returns where to go on @throws Unfit, ReadError */
export async function makeRepair({ world: deps, notes }: Desk, asked: Asked): Promise<string> {
  const { repair, name, event, why = "no reason given" } = asked;
  const note = await (async () => {
    if (repair === "retry") return sayRepaired(name, await retry(name, deps)).join("; ");
    if (repair === "replay")
      return sayReplayed(
        meaningOf.event(name, event),
        event === undefined ? await replay(name, deps) : await replayOf(name, event, deps),
      );
    if (repair === "dismiss") {
      await dismiss(name, why, deps);
      return sayDismissed(name);
    }
    return sayRepaired(name, await resolve(name, resolutionIn(asked), deps)).join("; ");
  })();
  const place = placeOf(asked);
  return `${place}${place.includes("?") ? "&" : "?"}note=${notes.leave(note)}`;
}

export const confirmHaltPage = (desk: Desk, reason: string): Promise<Html> =>
  page(
    desk,
    { title: "Halt all calls: are you certain?" },
    html`<h1>Are you certain?</h1><p class="meaning">${meaningOf.halt}</p><p>Because: ${reason}</p>
<div class="repairs">${changeForm(desk.token, "/halt", { reason }, button("Yes, halt all calls", "bad"))} <a href="/">No, go back</a></div>`,
  );

export async function makeHalt({ world: deps, notes }: Desk, reason: string): Promise<string> {
  return to("/", { note: notes.leave(sayHalted(await halt(reason, deps))) });
}

export async function makeResume({ world: deps, notes }: Desk): Promise<string> {
  return to("/", { note: notes.leave(sayResumed(await resume(deps))) });
}

/** Of a change that failed half-way nobody knows whether it was made. */
function told(isChange: boolean, error: unknown, response: string | undefined): { title: string; why: string } {
  const failed = response ?? "This page itself failed; its terminal says where.";
  if (!isChange) return { title: "It cannot be shown", why: failed };
  if (error instanceof PreconditionFailed || error instanceof ReadError)
    return { title: "It was not done", why: failed };
  const title = "It is not known whether it was done";
  return { title, why: `${failed} Look at the subscription before you try again.` };
}

/** What does not fit is said in its own words; everything else is a fault. */
export async function refusal(desk: Desk, error: unknown, context: Context): Promise<Response> {
  const response = operatorMessage(error);
  if (response === undefined) console.error(error);
  const isChange = context.req.method === "POST";
  const { title, why } = told(isChange, error, response);
  const asked = askedIn(isChange ? await context.req.parseBody().catch(() => ({})) : context.req.query());
  const back = asked.name && html`<a href="${placeOf(asked)}">Back to ${outside(asked.name)}</a> · `;
  const content = html`<h1>${title}</h1><p class="banner bad">${why}</p><p>${back}<a href="/">Home</a></p>`;
  // Where nothing can be read, the page around it cannot be drawn either.
  const whole = await page(desk, { title }, content).catch(() => content);
  return context.html(whole, response === undefined ? 500 : 409);
}
