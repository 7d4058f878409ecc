import { html } from "hono/html";
import { nameOf } from "../ops/world.ts";
import type { Desk } from "./desk.ts";
import { page } from "./layout.ts";
import { type Html, subscriptionAt, subscriptionLink } from "./parts.ts";

const mostShown = 100;

/** @returns where the one subscription is that was meant, or the page of several or none */
export async function find(desk: Desk, text: string): Promise<{ goTo: string } | { page: Html }> {
  const names = await namesFor(desk, text.trim());
  const [only, another] = names;
  if (only !== undefined && another === undefined) return { goTo: subscriptionAt(only) };
  const title = `${names.length === 0 ? "Nothing" : names.length} found for “${text}”`;
  const shown = names.slice(0, mostShown).map((name) => html`<li>${subscriptionLink(name)}</li>`);
  return {
    page: await page(
      desk,
      { title },
      html`<h1>${title}</h1>${
        names.length === 0
          ? html`<p>Looked for is a subscription whose id, customer, e-mail, license or reference is exactly that: <code>stripe/sub_123</code>, <code>sub_123</code>, <code>jo@example.com</code>, <code>334673</code>, <code>bw-…</code>. A payment that came before its subscription is not known by these.</p>`
          : html`<ul class="hits">${shown}</ul>`
      }`,
    ),
  };
}

async function namesFor({ world: { table } }: Desk, text: string): Promise<string[]> {
  if (text === "") return [];
  const keys = await table.find(text);
  return [...new Set(keys.map(nameOf))];
}
