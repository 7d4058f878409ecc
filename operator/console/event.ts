import { html } from "hono/html";
import type { StoredEvent } from "../../shared/aws/table.ts";
import { unpack } from "../../shared/intake/body-codec.ts";
import { noTimestamp } from "../../shared/licensing/time.ts";
import { keyNamed } from "../actions/dependencies.ts";
import { moment, pretty, sayEvent } from "../actions/format.ts";
import { showEvent } from "../actions/show.ts";
import type { Desk } from "./context.ts";
import { page } from "./layout.ts";
import { badge, type Html, subscriptionLink, when } from "./parts.ts";
import { repairForms } from "./repairs.ts";

/** An event of no subscription, with its body. @throws Unfit */
export async function eventPage(desk: Desk, name: string, note: string | undefined): Promise<Html | undefined> {
  const events = await showEvent(name, desk.world);
  if (events.length === 0) return undefined;
  return page(
    desk,
    { title: `event ${name}`, note },
    html`<h1>Event ${name} <span class="quiet">of no subscription</span></h1>${events.map(({ body, ...event }) =>
      eventOf(
        event,
        body,
        event.status === "unparseable" && !event.resolution
          ? repairForms(desk.token, { name }, ["replay", "dismiss"])
          : "",
      ),
    )}`,
  );
}

/** One event of a subscription, with its body. @throws Unfit */
export async function eventOfPage(desk: Desk, name: string, id: string): Promise<Html | undefined> {
  const events = await desk.world.table.events(keyNamed("subscription", name));
  const event = events.find(({ received }) => received.id === id);
  if (!event) return undefined;
  return page(
    desk,
    { title: `event ${id}` },
    html`<h1>Event ${id} <span class="quiet">of</span> ${subscriptionLink(name)}</h1>
${eventOf(event, unpack(event.received.body), html`<details class="more"><summary>Was it read wrongly?</summary>${repairForms(desk.token, { name, event: id }, ["replay"])}</details>`)}`,
  );
}

function eventOf(event: StoredEvent, body: string, repairs: Html | ""): Html {
  const { received, status, events, resolution } = event;
  const { type, occurredAt, receivedAt, headers = {}, test } = received;
  return html`<section aria-label="The event">
<p class="state">${badge(status, status === "applied" ? "good" : status === "unparseable" ? "bad" : "quiet")} ${event.status === "applied" ? "" : event.reason}</p>
${resolution ? html`<p>${resolution.as} at ${moment(resolution.at)}: ${resolution.why}</p>` : repairs}
<dl class="facts"><dt>type</dt><dd><code>${type}</code>${test ? " from the test mode" : ""}</dd>
<dt>received</dt><dd>${when(receivedAt, true)}</dd>
<dt>happened</dt><dd>${occurredAt === noTimestamp ? "not told" : when(occurredAt, true)}</dd>
${events.length > 0 ? html`<dt>says</dt><dd><ul class="found">${events.map((one) => html`<li>${sayEvent(one)}</li>`)}</ul></dd>` : ""}
${Object.entries(headers).map(([name, value]) => html`<dt>${name}</dt><dd><code>${value}</code></dd>`)}</dl>
<h2>Its body</h2><pre class="scroll" tabindex="0" role="region" aria-label="The body of the event">${pretty(body)}</pre></section>`;
}
