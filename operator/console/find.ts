/** The search of the console. */
import { html } from "hono/html";
import { keyOf, partsOf } from "../../shared/intake/message.ts";
import { type FoundSubscription, find } from "../actions/find.ts";
import type { ConsoleContext } from "./context.ts";
import { renderPage } from "./layout.ts";
import { type Html, subscriptionLink, subscriptionUrl, untrusted, urlOf } from "./parts.ts";

const maxShown = 100;

/** Redirects to the only match; otherwise renders the list of matches. */
export async function search(
  context: ConsoleContext,
  input: string,
): Promise<{ kind: "redirect"; url: string } | { kind: "page"; page: Html }> {
  const text = input.trim();
  const named = await urlOfNamed(context, text);
  if (named !== undefined) return { kind: "redirect", url: named };
  const found = text === "" ? [] : await find(text, context.deps, maxShown);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return { kind: "redirect", url: subscriptionUrl(only.name) };
  const title = `${found.length === 0 ? "Nothing" : found.length} found for “${text}”`;
  const content = found.length === 0 ? noMatch : html`<ul class="matches">${found.map(matchLine)}</ul>`;
  return { kind: "page", page: await renderPage(context, { title }, html`<h1>${title}</h1>${content}`) };
}

function matchLine({ name, customer = "", email = "", licenses }: FoundSubscription): Html {
  const details = [customer, email, licenses.length > 0 ? `license ${licenses.join(", ")}` : "no license"];
  return html`<li>${subscriptionLink(name)} <span class="quiet">${untrusted(details.filter(Boolean).join(", "))}</span></li>`;
}

const noMatch = html`<p>The search finds only exact values:</p>
<ul><li>the id of a subscription: <code>stripe/sub_123</code> or <code>sub_123</code></li>
<li>a customer id or an e-mail address: <code>jo@example.com</code></li>
<li>a license number or a reference: <code>334673</code>, <code>bw-…</code></li>
<li>an event that is not linked to a subscription: <code>stripe/evt_123</code></li></ul>
<p>Events that could not be understood are on the <a href="/">home page</a>.</p>`;

/** A full name, such as "stripe/sub_123", leads to its subscription or event. */
async function urlOfNamed({ deps: { table } }: ConsoleContext, text: string): Promise<string | undefined> {
  const { storefront, id } = partsOf(`subscription#${text}` as `subscription#${string}/${string}`);
  if (storefront === "" || id === "") return undefined;
  if (await table.load(keyOf("subscription", storefront, id))) return subscriptionUrl(text);
  const [event] = await table.events(keyOf("event", storefront, id));
  return event && urlOf("/event", { name: text });
}
