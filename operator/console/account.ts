import { html } from "hono/html";
import type { Instant } from "../../shared/licensing/time.ts";
import { nowOf, type OperatorDependencies } from "../actions/dependencies.ts";
import { count } from "../actions/format.ts";
import { operatorMessage } from "../actions/operator-message.ts";
import { type Difference, type Orphan, type Reconciled, reconcile } from "../actions/reconcile.ts";
import type { Desk } from "./context.ts";
import { page } from "./layout.ts";
import { badge, button, changeForm, fromNow, type Html, subscriptionLink, when } from "./parts.ts";
import { repairForms } from "./repairs.ts";

/** The comparison with billmgr: one at a time, and the last one is kept. */
export type Account = {
  state: () => Comparison | undefined;
  begin: () => void;
  /** How often it has changed. */
  changes: () => number;
};

type Comparison = { began: Instant; subscriptions: number; listed: Record<string, number> } & (
  | { is: "running" }
  | { is: "done"; at: Instant; found: Reconciled }
  | { is: "failed"; why: string }
);

export function createAccount(deps: OperatorDependencies): Account {
  let state: Comparison | undefined;
  let changes = 0;
  const become = (next: Comparison) => {
    state = next;
    changes++;
  };
  return {
    state: () => state,
    changes: () => changes,
    begin() {
      if (state?.is === "running") return;
      let read = { began: nowOf(deps), subscriptions: 0, listed: {} as Record<string, number> };
      become({ ...read, is: "running" });
      reconcile(deps, (progress) => {
        read =
          "family" in progress
            ? { ...read, listed: { ...read.listed, [progress.family]: progress.licenses } }
            : { ...read, subscriptions: progress.subscriptions };
        become({ ...read, is: "running" });
      }).then(
        (found) => become({ ...read, is: "done", at: nowOf(deps), found }),
        (error: unknown) => become({ ...read, is: "failed", why: whyOf(error) }),
      );
    },
  };
}

function whyOf(error: unknown): string {
  const response = operatorMessage(error);
  if (response === undefined) console.error(error);
  return response ?? "this page itself failed; its terminal says where";
}

export async function accountPage(desk: Desk): Promise<Html> {
  const state = desk.account.state();
  return page(
    desk,
    { title: "Account", here: "/account", live: "account" },
    html`<h1>Does all agree with billmgr?</h1>
<p>Every license that is known here is compared with billmgr's lists. It only reads: the whole table, and the lists of all families. Once a week is enough.</p>
<section id="comparison" data-live aria-label="The comparison">
${changeForm(desk.token, "/account", {}, button(state ? "Compare again" : "Compare", "primary"))}
${state ? comparisonOf(desk, state) : html`<p class="empty">Not compared since this page's start.</p>`}</section>`,
  );
}

function comparisonOf(desk: Desk, state: Comparison): Html {
  const lists = Object.entries(state.listed).map(
    ([family, licenses]) => `${count(licenses, "license")} of ${family} at billmgr`,
  );
  const read = [count(state.subscriptions, "subscription"), ...lists].join(", ");
  if (state.is === "running")
    return html`<p class="state">${badge("reading", "wait")} ${read} so far. <a href="/account">Look again</a></p>`;
  if (state.is === "failed") return html`<p class="banner bad">It could not be compared: ${state.why}</p>`;
  const { found, at } = state;
  const { differences, orphans, incomplete, licenses, others } = found;
  const lasting = differences.filter(({ settling }) => !settling).length + orphans.length;
  return html`<p class="state">${lasting === 0 ? badge("all agree", "good") : badge(count(lasting, "difference"), "bad")} as of ${when(at)}, ${fromNow(at, nowOf(desk.world))}</p>
<dl class="facts"><dt>known here</dt><dd>${count(licenses, "license")} of ${count(state.subscriptions, "subscription")}</dd>
${Object.entries(state.listed).map(([family, listed]) => html`<dt>at billmgr</dt><dd>${count(listed, "license")} of ${family}, deleted ones that are still listed included</dd>`)}
<dt>others</dt><dd>${count(others, "license")} at billmgr without a reference of ours, bought by other means</dd></dl>
${Object.entries(incomplete).map(([family, why]) => html`<p class="banner wait">The list of ${family} proves nothing missing: ${why}</p>`)}
${differences.length > 0 ? differenceRows(differences) : ""}${orphans.length > 0 ? orphanRows(desk, orphans) : ""}`;
}

const differenceRows = (differences: readonly Difference[]): Html =>
  html`<h2>Differences</h2><div class="scroll" tabindex="0" role="region" aria-label="Differences"><table>
<thead><tr><th>subscription</th><th>license</th><th>differs in</th><th>known</th><th>billmgr</th><th>passes</th></tr></thead>
<tbody>${differences.map(
    ({ subscription, elid, what, known, billmgr, settling }) =>
      html`<tr><td>${subscriptionLink(subscription)}</td><td>${elid}</td><td>${what}</td><td>${known}</td><td>${billmgr}</td><td>${settling ? badge("an operation is open", "wait") : ""}</td></tr>`,
  )}</tbody></table></div>`;

const orphanRows = (desk: Desk, orphans: readonly Orphan[]): Html =>
  html`<h2>Held by no subscription</h2><p>Alive at billmgr with a reference like ours. If the subscription beside it still waits for its order, adopt it there. Otherwise it was bought twice: delete it in billmgr.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Held by no subscription"><table>
<thead><tr><th>license</th><th>family</th><th>reference</th><th>would be of</th><th>repair</th></tr></thead>
<tbody>${orphans.map(
    ({ elid, family, reference, of }) =>
      html`<tr><td>${elid}</td><td>${family}</td><td><code>${reference}</code></td><td>${of ? subscriptionLink(of) : "none that is known"}</td><td>${of ? repairForms(desk.token, { name: of }, ["adopt"], { adopt: elid, place: elid }) : ""}</td></tr>`,
  )}</tbody></table></div>`;
