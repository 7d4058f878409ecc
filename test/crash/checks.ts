/** The checks after the faults. Each returns a sentence for every violation. */

import { type DynamoDBClient, paginateScan } from "@aws-sdk/client-dynamodb";
import type { CallEntry, LedgerEntry, License, Sandbox } from "../../local/simulators/billmgr/index.ts";
import { tableName } from "../../local/table.ts";
import type { Table } from "../../shared/aws/table.ts";
import { type Key, keyOf } from "../../shared/intake/message.ts";
import { isDone, type Operation, referenceOf } from "../../shared/licensing/operation.ts";
import { formatReason } from "../../shared/licensing/reasons.ts";
import type { Subscription } from "../../shared/licensing/subscription.ts";
import { addDays, dayOf } from "../../shared/licensing/time.ts";
import { type Customer, paidThrough, type Webhook } from "./shop.ts";

const storefront = "standard";
const keyOfCustomer = (id: string): Key => keyOf("subscription", storefront, id);
const subscriptionIn = (reference: string): string => reference.split("-", 2).join("-");
const referencesOf = (id: string): string => subscriptionIn(referenceOf({ storefront, id }, { n: 1, generation: 1 }));

/** Each slot and generation is ordered at most once, and a license is prolonged only into time that was already paid. */
export function boughtTooMuch(ledger: readonly LedgerEntry[], customers: readonly Customer[]): string[] {
  const orders = ledger.filter((entry) => entry.operation === "order");
  const twice = orders.filter((one, i) => orders.findIndex((other) => other.remoteid === one.remoteid) < i);
  const unpaid = ledger.filter((entry) => {
    if (entry.operation !== "prolong") return false;
    const ordered = orders.find(({ elid }) => elid === entry.elid);
    const customer = customers.find(({ id }) => ordered && referencesOf(id) === subscriptionIn(ordered.remoteid));
    const paid = customer?.paid.findLast(({ at }) => at <= entry.at)?.through ?? "";
    return entry.expiryBefore >= dayOf(paid);
  });
  return [
    ...twice.map(({ elid, remoteid }) => `${remoteid} was ordered again, as license ${elid}`),
    ...unpaid.map(({ n, elid }) => `license ${elid} was prolonged without a payment (entry ${n} of the ledger)`),
  ];
}

export async function lost(webhooks: readonly Webhook[], table: Table): Promise<string[]> {
  const byCustomer = Map.groupBy(webhooks, ({ customer }) => customer);
  const all = [...byCustomer].map(async ([customer, theirs]) => {
    const became = new Map((await table.events(keyOfCustomer(customer))).map((event) => [event.received.id, event]));
    return theirs
      .filter(({ id, answered }) => answered && became.get(id)?.status !== "applied")
      .map(({ id, body }) => `${id} was answered 200 and became ${became.get(id)?.status}: ${body}`);
  });
  return (await Promise.all(all)).flat();
}

/** Each call that billmgr received belongs to its own operation. */
export async function unlogged(
  calls: readonly CallEntry[],
  customers: readonly Customer[],
  table: Table,
): Promise<string[]> {
  const logged = new Map<string, number>();
  for (const { id } of customers) {
    for (const operation of await operationsOf(id, table)) {
      if (!operation.attempt) continue;
      const { change } = operation;
      const name = `${change.kind} ${change.kind === "order" ? operation.attempt.params.remoteid : change.elid}`;
      logged.set(name, (logged.get(name) ?? 0) + 1);
    }
  }
  const changes = ["order", "prolong", "edit", "suspend", "resume", "delete"];
  const seen = Map.groupBy(
    calls.filter(({ operation }) => changes.includes(operation)),
    ({ operation, elid, remoteid }) => `${operation} ${operation === "order" ? remoteid : elid}`,
  );
  return [...seen].flatMap(([name, { length }]) => {
    const known = logged.get(name) ?? 0;
    return length > known ? [`${name} was called ${length} times, and ${known} calls are in the log`] : [];
  });
}

/** Exactly the completed operations were published. `published` are the ids of the events on the bus. */
export async function misreported(
  published: readonly string[],
  customers: readonly Customer[],
  table: Table,
): Promise<string[]> {
  const done = await Promise.all(
    customers.map(async ({ id }) => {
      const operations = (await operationsOf(id, table)).filter(({ outcome }) => isDone(outcome));
      return operations.map(({ n }) => `${storefront}/${id}#operation-${n}`);
    }),
  );
  const [expected, events] = [done.flat(), published.filter((id) => id.includes("#operation-"))];
  return [
    ...expected.filter((id) => !events.includes(id)).map((id) => `${id} was completed, but not published`),
    ...events.filter((id) => !expected.includes(id)).map((id) => `${id} was published, but not completed`),
  ];
}

async function operationsOf(id: string, table: Table): Promise<Operation[]> {
  const latest = (await table.load(keyOfCustomer(id)))?.subscription.operation;
  const log = await table.operations(keyOfCustomer(id));
  return latest && !log.some(({ n }) => n === latest.n) ? [...log, latest] : log;
}

export async function leaked(client: DynamoDBClient, secrets: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { Items = [] } of paginateScan({ client }, { TableName: tableName })) {
    for (const item of Items) {
      const text = JSON.stringify(item);
      if (secrets.some((secret) => text.includes(secret))) found.push(`a secret is in ${item.pk?.S} ${item.sk?.S}`);
    }
  }
  return found;
}

/** Each customer's licenses match what was paid, or the subscription needs attention with a reason. */
export async function disagreements(
  customers: readonly Customer[],
  sandbox: Sandbox,
  table: Table,
  today: string,
): Promise<{ flaws: string[]; asked: string[] }> {
  const flaws: string[] = [];
  const asked: string[] = [];
  for (const customer of customers) {
    const stored = await table.load(keyOfCustomer(customer.id));
    const licenses = sandbox
      .licenses()
      .filter(({ status, remoteid }) => status !== 4 && subscriptionIn(remoteid) === referencesOf(customer.id));
    if (stored?.subscription.attention) {
      asked.push(
        `${customer.id}: ${stored.subscription.attention.map(({ reason }) => formatReason(reason)).join(" ")}`,
      );
      continue;
    }
    for (const flaw of [...unlike(customer, licenses, today), ...unknown(stored?.subscription, licenses)])
      flaws.push(`${customer.id}, ${customer.is}, ${customer.quantity} of ${customer.plan}: ${flaw}`);
  }
  return { flaws, asked };
}

function unlike(customer: Customer, licenses: readonly License[], today: string): string[] {
  const serving = licenses.filter(({ status }) => status === 2);
  const isNodes = customer.plan === "vm6-monthly";
  const wanted = customer.is !== "active" ? 0 : isNodes ? 1 : customer.quantity;
  if (serving.length !== wanted) return [`${serving.length} licenses serve where ${wanted} are paid for`];
  return serving.flatMap(({ id, expiry, addons }) => [
    ...(isNodes && addons[55165] !== customer.quantity ? [`license ${id} has ${addons[55165]} nodes`] : []),
    ...(expiry <= today || addDays(expiry, 16) < dayOf(paidThrough(customer))
      ? [`license ${id} ends on ${expiry}, paid through ${paidThrough(customer)}`]
      : []),
  ]);
}

function unknown(subscription: Subscription | undefined, licenses: readonly License[]): string[] {
  const held = (subscription?.slots ?? []).flatMap(({ license }) => license?.elid ?? []).sort();
  const there = licenses.map(({ id }) => id).sort();
  return held.join() === there.join() ? [] : [`the table holds licenses ${held}, and billmgr has ${there}`];
}
