import { html } from "hono/html";
import { keyOf, partsOf } from "../../shared/intake/message.ts";
import { find as findSubscriptions } from "../actions/find.ts";
import type { Desk } from "./context.ts";
import { page } from "./layout.ts";
import { type Html, outside, subscriptionAt, subscriptionLink, to } from "./parts.ts";

const mostShown = 100;

/** @returns where the one subscription is that was meant, or the page of several or none */
export async function find(desk: Desk, given: string): Promise<{ goTo: string } | { page: Html }> {
  const text = given.trim();
  const named = await placeOf(desk, text);
  if (named !== undefined) return { goTo: named };
  const hits = text === "" ? [] : await findSubscriptions(text, desk.world, mostShown);
  const [only, another] = hits;
  if (only !== undefined && another === undefined) return { goTo: subscriptionAt(only.name) };
  const title = `${hits.length === 0 ? "Nothing" : hits.length} found for “${text}”`;
  const found = html`<ul class="hits">${hits.map(
    ({ name, customer = "", email = "", licenses }) =>
      html`<li>${subscriptionLink(name)} <span class="quiet">${outside([customer, email, licenses.length > 0 ? `license ${licenses.join(", ")}` : ""].filter(Boolean).join(", "))}</span></li>`,
  )}</ul>`;
  const none = html`<p>Looked for is a subscription with exactly this id, customer, e-mail address, license or reference: <code>stripe/sub_123</code>, <code>sub_123</code>, <code>jo@example.com</code>, <code>334673</code>, <code>bw-…</code>; or an event of none, by its name. What came and was not understood stands on the <a href="/">home page</a>, as something that needs a person.</p>`;
  return { page: await page(desk, { title }, html`<h1>${title}</h1>${hits.length === 0 ? none : found}`) };
}

/** Of what is named in full, as the lists here name it. */
async function placeOf({ world: { table } }: Desk, text: string): Promise<string | undefined> {
  const { storefront, id } = partsOf(`subscription#${text}` as `subscription#${string}/${string}`);
  if (storefront === "" || id === "") return undefined;
  if (await table.load(keyOf("subscription", storefront, id))) return subscriptionAt(text);
  const [event] = await table.events(keyOf("event", storefront, id));
  return event && to("/event", { name: text });
}
