import { requestOf } from "../../shared/billmgr/requests.ts";
import { isTestMode, type Key, type Message, partsOf, renamePayment } from "../../shared/intake/message.ts";
import { messagesOf } from "../../shared/intake/messages.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
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
    previews.push({ event: id, type, ...(await outcomeOf(message, at, deps)) });
  }
  return previews;
}

async function outcomeOf(
  message: Exclude<Message, { kind: "link" | "wake" }>,
  at: Instant,
  { table, catalog }: Pick<OperatorDependencies, "table" | "catalog">,
) {
  if (isTestMode(message) && !catalog.policy.acceptTestMode) {
    return { nothing: "from the storefront's test mode, and policy.acceptTestMode is false" };
  }
  if (message.kind !== "event") {
    return {
      nothing: `${message.kind === "unparseable" ? "not understood, needs attention" : "ignored"}: ${message.reason}`,
    };
  }
  const found = await linkedTo(message.key, message.events, table);
  if (!found) return { nothing: `stored: ${nameOf(message.key)} is not linked to a known subscription yet` };
  const { storefront, id } = partsOf(found.key);
  const stored = await table.load(found.key);
  const before = stored?.subscription ?? newSubscription(storefront, id);
  const folded = found.events.reduce(fold, before);
  const { steps, decision } = follow(folded, catalog, at, (step) => `<license ${step + 1}>`);
  const changes = steps.map((step) => plannedIn(folded, step));
  return { subscription: nameOf(found.key), known: stored !== undefined, changes, next: decision };
}

export const plannedIn = (subscription: Subscription, step: Step): Planned => ({
  what: describe(step.change),
  why: step.why,
  params: requestOf(step.change, referenceFor(subscription, step)),
});

/** Follows the links of a reference, which may lead to another reference, to its subscription. */
async function linkedTo(
  key: Key,
  events: readonly Event[],
  table: Pick<OperatorDependencies["table"], "link">,
): Promise<{ key: Key; events: readonly Event[] } | undefined> {
  if (partsOf(key).kind === "subscription") return { key, events };
  const to = await table.link(key);
  return to && linkedTo(to, renamePayment(events, partsOf(key).id), table);
}

function referenceFor(subscription: Subscription, { change }: Step): string {
  const slot = subscription.slots.find(({ n }) => n === change.slot);
  const generation = change.kind === "order" ? change.generation : (slot?.generation ?? 1);
  return referenceOf(subscription, { n: change.slot, generation });
}
