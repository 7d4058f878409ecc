/** Confirmation pages, the changes that follow them, and the page for errors. */
import type { Context } from "hono";
import { html } from "hono/html";
import { PreconditionFailed, ReadError } from "../../shared/errors.ts";
import { keyNamed, unknownSubscription } from "../actions/dependencies.ts";
import { dismiss, replay, replayForSubscription } from "../actions/events.ts";
import {
  confirmDismissal,
  confirmHalt,
  confirmReplay,
  confirmResolution,
  labelEvent,
  reportDismissal,
  reportHalt,
  reportRepair,
  reportReplay,
  reportResume,
} from "../actions/format.ts";
import { halt, resume } from "../actions/halt.ts";
import { internalError, operatorMessage } from "../actions/operator-message.ts";
import { latestOf, type Resolution, resolve, retry } from "../actions/repair.ts";
import type { ConsoleContext } from "./context.ts";
import { renderPage } from "./layout.ts";
import { button, type Html, postForm, subscriptionUrl, untrusted, urlOf, withFlash } from "./parts.ts";
import { parseRepairRequest, type RepairRequest } from "./repairs.ts";

/** The page that the repair is about. */
const pageOf = ({ repair, name, event }: RepairRequest): string =>
  (repair === "replay" && event === undefined) || repair === "dismiss"
    ? urlOf("/event", { name })
    : subscriptionUrl(name);

/** Explains the repair. Its button repeats the number of the operation that the operator sees. @throws PreconditionFailed */
export async function confirmRepairPage(context: ConsoleContext, request: RepairRequest): Promise<Html> {
  const { repair, name, event, elid, why } = request;
  const { text, operation } = await confirmationFor(request, context);
  return renderPage(
    context,
    { title: `${repair} ${event ?? name}: are you sure?` },
    html`<h1>Are you sure?</h1><p class="confirmation">${text}</p>
<div class="repairs">${postForm(context.token, "/repair", { repair, name, event, elid, why, operation }, button("Yes, do it", "primary"))} <a href="${pageOf(request)}">No, go back</a></div>`,
  );
}

async function confirmationFor(
  request: RepairRequest,
  { deps }: ConsoleContext,
): Promise<{ text: string; operation?: string }> {
  const { repair, name, event } = request;
  if (repair === "replay") return { text: confirmReplay(name, event) };
  if (repair === "dismiss") return { text: confirmDismissal(name) };
  const key = keyNamed("subscription", name);
  const { subscription } = (await deps.table.load(key)) ?? {};
  if (!subscription) throw unknownSubscription(key);
  const resolution = { ...resolutionOf(request), operation: latestOf(subscription) };
  return {
    text: confirmResolution(name, resolution, subscription.operation),
    operation: String(resolution.operation),
  };
}

function resolutionOf({ repair, elid = "" }: RepairRequest): Resolution {
  if (repair === "adopt" || repair === "gone") return { as: repair, elid };
  if (repair === "never-bought" || repair === "done") return { as: repair };
  throw new PreconditionFailed(`there is no repair "${repair}"`);
}

/** Requires the confirmed operation: an old tab may show the confirmation of an earlier one. */
function confirmedResolution(request: RepairRequest): Resolution & { operation: number } {
  if (!/^\d{1,6}$/.test(request.operation ?? ""))
    throw new PreconditionFailed("the operation number is missing; start from the subscription page");
  return { ...resolutionOf(request), operation: Number(request.operation) };
}

/** Makes the repair. @returns the page to show next @throws PreconditionFailed, ReadError */
export async function executeRepair(context: ConsoleContext, request: RepairRequest): Promise<string> {
  return withFlash(pageOf(request), context.flash.put(await resultOf(context, request)));
}

async function resultOf({ deps }: ConsoleContext, request: RepairRequest): Promise<string> {
  const { repair, name, event, why = "no reason given" } = request;
  switch (repair) {
    case "retry":
      return reportRepair(name, await retry(name, deps)).join("; ");
    case "replay": {
      const replayed = event === undefined ? await replay(name, deps) : await replayForSubscription(name, event, deps);
      return reportReplay(labelEvent(name, event), replayed);
    }
    case "dismiss":
      await dismiss(name, why, deps);
      return reportDismissal(name);
    default:
      return reportRepair(name, await resolve(name, confirmedResolution(request), deps)).join("; ");
  }
}

export const confirmHaltPage = (context: ConsoleContext, reason: string): Promise<Html> =>
  renderPage(
    context,
    { title: "Halt all calls: are you sure?" },
    html`<h1>Are you sure?</h1><p class="confirmation">${confirmHalt}</p><p>Reason: ${reason}</p>
<div class="repairs">${postForm(context.token, "/halt", { reason }, button("Yes, halt all calls", "bad"))} <a href="/">No, go back</a></div>`,
  );

export async function executeHalt({ deps, flash }: ConsoleContext, reason: string): Promise<string> {
  return withFlash("/", flash.put(reportHalt(await halt(reason, deps))));
}

export async function executeResume({ deps, flash }: ConsoleContext): Promise<string> {
  return withFlash("/", flash.put(reportResume(await resume(deps))));
}

/** Answers 409 for an error that the operator can fix, and 500 for an internal error. */
export async function respondWithError(context: ConsoleContext, error: unknown, c: Context): Promise<Response> {
  const message = operatorMessage(error);
  if (message === undefined) console.error(error);
  const isChange = c.req.method === "POST";
  const request = parseRepairRequest(isChange ? await c.req.parseBody().catch(() => ({})) : c.req.query());
  const title = errorTitle(isChange, error);
  const hint = title === unknownResult ? html`<p>Check the subscription before you try again.</p>` : "";
  const back = request.name && html`<a href="${pageOf(request)}">Back to ${untrusted(request.name)}</a> · `;
  const content = html`<h1>${title}</h1><p class="banner bad">${message ?? internalError}</p>${hint}<p>${back}<a href="/">Home</a></p>`;
  // The frame reads the table too, so it fails if the table cannot be read.
  const page = await renderPage(context, { title }, content).catch(() => content);
  return c.html(page, message === undefined ? 500 : 409);
}

const unknownResult = "It is unknown whether the change was made";

function errorTitle(isChange: boolean, error: unknown): string {
  if (!isChange) return "This page cannot be shown";
  const isRefused = error instanceof PreconditionFailed || error instanceof ReadError;
  return isRefused ? "The change was not made" : unknownResult;
}
