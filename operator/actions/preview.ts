import { requestOf } from "../../shared/billmgr/requests.ts";
import { addedClaims } from "../../shared/intake/claims.ts";
import { isTestMode, type Key, type Message, partsOf, renamePayment } from "../../shared/intake/message.ts";
import { messagesOf } from "../../shared/intake/messages.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import { factsOfSharer } from "../../shared/licensing/line-owners.ts";
import { describe, referenceOf } from "../../shared/licensing/operation.ts";
import { follow, type Step } from "../../shared/licensing/preview.ts";
import { newSubscription, type Subscription } from "../../shared/licensing/subscription.ts";
import type { Instant } from "../../shared/licensing/time.ts";
import { nameOf, type OperatorDependencies } from "./dependencies.ts";
import { storefrontFor } from "./reparse.ts";

/** A change that would be made, with the parameters of its call. */
export type Planned = { what: string; why: string; params: Record<string, string> };

/** The effect that one event would have. */
export type Preview = { event: string; type: string } & (
  | { nothing: string }
  | {
      subscription: string;
      known: boolean;
      changes: Planned[];
      /** The decision after these changes. */
      next: Decision;
    }
);

export type Webhook = { storefront: string; body: unknown; headers: Record<string, string> };

/** Shows the calls that a webhook at this time would cause if every call succeeds. Makes none. @throws PreconditionFailed */
export async function preview(
  { storefront, body, headers }: Webhook,
  at: Instant,
  deps: Pick<OperatorDependencies, "table" | "catalog">,
): Promise<Preview[]> {
  const parsed = storefrontFor(storefront).events(body, headers);
  const receipt = { receivedAt: at, body: "" };
  const messages = parsed.flatMap((event) => messagesOf(storefront, event, receipt).map(({ message }) => message));
  const previews: Preview[] = [];
  for (const message of messages) {
    if (message.kind === "link" || message.kind === "wake") continue;
    const { id, type } = message.received;
    for (const outcome of await outcomesOf(message, at, deps)) previews.push({ event: id, type, ...outcome });
  }
  return previews;
}

type Dependencies = Pick<OperatorDependencies, "table" | "catalog">;

async function outcomesOf(message: Exclude<Message, { kind: "link" | "wake" }>, at: Instant, deps: Dependencies) {
  const { catalog } = deps;
  if (isTestMode(message) && !catalog.policy.acceptTestMode) {
    return [{ nothing: "from the storefront's test mode, and policy.acceptTestMode is false" }];
  }
  if (message.kind !== "event") {
    const what = message.kind === "unparseable" ? "not understood, needs attention" : "ignored";
    return [{ nothing: `${what}: ${message.reason}` }];
  }
  const found = await linkedTo(message.key, message.events, deps);
  if (found.length === 0)
    return [{ nothing: `stored: ${nameOf(message.key)} is not linked to a known subscription yet` }];
  return Promise.all(found.map((facts) => changesBy(facts, at, deps)));
}

type Facts = { key: Key; events: readonly Event[] };

async function changesBy({ key, events }: Facts, at: Instant, { table, catalog }: Dependencies) {
  const { storefront, id } = partsOf(key);
  const stored = await table.load(key);
  const before = stored?.subscription ?? newSubscription(storefront, id);
  const folded = events.reduce(fold, before);
  const { steps, decision } = follow(folded, catalog, at, (step) => `<license ${step + 1}>`);
  const changes = steps.map((step) => plannedIn(folded, step));
  return { subscription: nameOf(key), known: stored !== undefined, changes, next: decision };
}

export const plannedIn = (subscription: Subscription, step: Step): Planned => ({
  what: describe(step.change),
  why: step.why,
  params: requestOf(step.change, referenceFor(subscription, step)),
});

/** Follows the links of a reference, which may lead to another reference, to its subscription or subscriptions. */
async function linkedTo(key: Key, events: readonly Event[], deps: Dependencies): Promise<Facts[]> {
  const { table, catalog } = deps;
  const { kind, id } = partsOf(key);
  if (kind === "subscription") return [{ key, events }];
  const renamed = renamePayment(events, id);
  const to = await table.link(key);
  if (to) return linkedTo(to, renamed, deps);
  const stored = { sharers: await table.sharers(key), owners: await table.lineOwners(key) };
  const added = addedClaims(key, events, stored, catalog);
  const owners = { ...stored.owners, ...added.owners };
  return [...stored.sharers, ...added.sharers].flatMap((sharer) => {
    const theirs = factsOfSharer(renamed, sharer, owners);
    return theirs.length === 0 ? [] : [{ key: sharer.to, events: theirs }];
  });
}

function referenceFor(subscription: Subscription, { change }: Step): string {
  const slot = subscription.slots.find(({ n }) => n === change.slot);
  const generation = change.kind === "order" ? change.generation : (slot?.generation ?? 1);
  return referenceOf(subscription, { n: change.slot, generation });
}
