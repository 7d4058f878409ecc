/** The services that the operator's actions use, and the names by which an operator addresses subscriptions and events. */
import type { Table } from "../../shared/aws/table.ts";
import type { Billmgr } from "../../shared/billmgr/billmgr.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import type { Send } from "../../shared/intake/message.ts";
import { type Key, keyOf, partsOf } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { storefrontNames } from "../../shared/licensing/event.ts";
import { type Instant, toInstant } from "../../shared/licensing/time.ts";
import { suggest } from "../../shared/problems.ts";

/** Services of the operator's actions. Actions take and return plain data, and throw PreconditionFailed when they do not apply. */
export type OperatorDependencies = { table: Table; send: Send; billmgr: Billmgr; catalog: Catalog; now: () => Date };

export const nowOf = ({ now }: Pick<OperatorDependencies, "now">): Instant => toInstant(now());

/** Returns the partition key for a name such as "stripe/sub_1". @throws PreconditionFailed */
export function keyNamed(kind: "subscription" | "event", name: string): Key {
  const [, storefront = "", id = ""] = /^([^/]*)\/(.+)$/s.exec(name) ?? [];
  if (id === "") throw new PreconditionFailed(`"${name}": expected a storefront and an id, such as stripe/sub_123`);
  if (!storefrontNames.some((known) => known === storefront)) {
    throw new PreconditionFailed(`"${name}": no such storefront${suggest(storefront, storefrontNames)}`);
  }
  return keyOf(kind, storefront, id);
}

export function nameOf(key: Key): string {
  const { storefront, id } = partsOf(key);
  return `${storefront}/${id}`;
}

export const unknownSubscription = (key: Key): PreconditionFailed =>
  new PreconditionFailed(`no subscription ${nameOf(key)} is known; check the id, or search for it with find`);
