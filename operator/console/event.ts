/** The page of one event, with its body. */
import { html } from "hono/html";
import type { StoredEvent } from "../../shared/aws/table.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import { noTimestamp } from "../../shared/licensing/time.ts";
import { keyNamed } from "../actions/dependencies.ts";
import { formatEvent, prettyPrint } from "../actions/format.ts";
import { showEvent } from "../actions/show.ts";
import type { ConsoleContext } from "./context.ts";
import { eventStatus } from "./history.ts";
import { renderPage } from "./layout.ts";
import { fullTime, type Html, subscriptionLink } from "./parts.ts";
import { repairForms } from "./repairs.ts";

/** An event that is not linked to a subscription. @throws PreconditionFailed */
export async function eventPage(
  context: ConsoleContext,
  name: string,
  flash: string | undefined,
): Promise<Html | undefined> {
  const events = await showEvent(name, context.deps);
  if (events.length === 0) return undefined;
  return renderPage(
    context,
    { title: `event ${name}`, flash },
    html`<h1>Event ${name} <span class="quiet">not linked to a subscription</span></h1>${events.map(
      ({ body, ...event }) => {
        const needsAttention = event.status === "unparseable" && !event.resolution;
        const repairs = needsAttention ? repairForms(context.token, { name }, ["replay", "dismiss"]) : "";
        return eventSection(event, body, repairs);
      },
    )}`,
  );
}

/** @throws PreconditionFailed */
export async function subscriptionEventPage(
  context: ConsoleContext,
  name: string,
  id: string,
): Promise<Html | undefined> {
  const events = await context.deps.table.events(keyNamed("subscription", name));
  const event = events.find(({ received }) => received.id === id);
  if (!event) return undefined;
  const replay = html`<details class="more"><summary>Was this event read wrongly?</summary>${repairForms(context.token, { name, event: id }, ["replay"])}</details>`;
  return renderPage(
    context,
    { title: `event ${id}` },
    html`<h1>Event ${id} <span class="quiet">of</span> ${subscriptionLink(name)}</h1>
${eventSection(event, unpack(event.received.body), replay)}`,
  );
}

function eventSection(event: StoredEvent, body: string, repairs: Html | ""): Html {
  const { received, events, resolution } = event;
  const { type, occurredAt, receivedAt, headers = {}, test } = received;
  return html`<section aria-label="Event">
<p class="state">${eventStatus(event)}</p>
${resolution ? html`<p>${resolution.as} at ${fullTime(resolution.at, true)}: ${resolution.why}</p>` : repairs}
<dl class="facts"><dt>type</dt><dd><code>${type}</code>${test ? " (test mode)" : ""}</dd>
<dt>received</dt><dd>${fullTime(receivedAt, true)}</dd>
<dt>occurred</dt><dd>${occurredAt === noTimestamp ? "unknown" : fullTime(occurredAt, true)}</dd>
${events.length > 0 ? html`<dt>facts</dt><dd><ul class="details">${events.map((one) => html`<li>${formatEvent(one)}</li>`)}</ul></dd>` : ""}
${Object.entries(headers).map(([name, value]) => html`<dt>${name}</dt><dd><code>${value}</code></dd>`)}</dl>
<h2>Body</h2><pre class="scroll" tabindex="0" role="region" aria-label="Body of the event">${prettyPrint(body)}</pre></section>`;
}
