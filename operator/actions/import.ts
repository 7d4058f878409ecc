import type { Page } from "../../shared/aws/items.ts";
import { isElid, isSuspended, type SeenLicense } from "../../shared/billmgr/license.ts";
import { PreconditionFailed, ReadError } from "../../shared/errors.ts";
import { type Key, partsOf } from "../../shared/intake/message.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import type { Decision } from "../../shared/licensing/decide.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { fold } from "../../shared/licensing/fold.ts";
import {
  type ImportedLicense,
  type ImportedSubscription,
  importEvent,
  importEventId,
  importEventIn,
  importLicenses,
  quantityShown,
  refuseCountedPayments,
  soldName,
} from "../../shared/licensing/import.ts";
import { haveSameOwner, isReference, referenceOf } from "../../shared/licensing/operation.ts";
import { follow, type Step } from "../../shared/licensing/preview.ts";
import { type License, newSubscription } from "../../shared/licensing/subscription.ts";
import { type Instant, noTimestamp } from "../../shared/licensing/time.ts";
import { suggest } from "../../shared/problems.ts";
import { keyNamed, nameOf, nowOf, type OperatorDependencies } from "./dependencies.ts";
import { rewrite } from "./rewrite.ts";

/** One line of the import file: a license, or an extra in addition to one. `line` is its number in the file. */
export type Line = {
  line: number;
  subscription: string;
  elid: string;
  /** A plan of the catalog, or an extra. */
  plan: string;
  quantity?: number;
  customer?: string;
  email?: string;
  paidThrough?: Instant;
};

export type Refusal = { line: number; why: string };

/** A subscription as it would be stored, with the calls that follow immediately. */
export type Move = {
  key: Key;
  lines: Line[];
  event: Event;
  licenses: ImportedLicense[];
  steps: Step[];
  next: Decision;
};

/** The part of an import that is stored as an event of its subscription. */
export type Kept = Pick<Move, "key" | "lines" | "event">;

/** `held`: subscriptions that already have their licenses; `cutOff`: those whose import stopped before its event was stored. */
export type Moves = { moves: Move[]; held: string[]; cutOff: Kept[]; refused: Refusal[] };

/** The type of an import's event. It contains no webhook, so it cannot be replayed. */
export const importType = "import";

/** Checks every line against the table and billmgr. Only reads. @throws ReadError if billmgr refuses the login */
export async function checkImport(
  lines: readonly Line[],
  deps: Pick<OperatorDependencies, "table" | "billmgr" | "catalog" | "now">,
  progress: (checked: number) => void = () => {},
): Promise<Moves> {
  const result: Moves = { moves: [], held: [], cutOff: [], refused: [] };
  const holders = await holdersIn(deps);
  const licensed = lines.filter(({ plan }) => !isExtra(deps.catalog, plan));
  let checked = 0;
  for (const [name, group] of Map.groupBy(lines, ({ subscription }) => subscription)) {
    const before = result.refused.length;
    const seen = new Map<Line, SeenLicense>();
    const own = group.filter(({ plan }) => !isExtra(deps.catalog, plan));
    const isHeld = own.length > 0 && own.every(({ elid }) => holders.get(elid) === `subscription#${name}`);
    for (const line of isHeld ? [] : group) {
      await attempt(line, result.refused, async () => {
        const license = await checkLine(line, own, licensed, holders, deps);
        if (license) seen.set(line, license);
      });
      progress(++checked);
    }
    if (isHeld) {
      result.held.push(name);
      result.cutOff.push(...(await cutOffAt(keyNamed("subscription", name), group, own, deps)));
    } else if (result.refused.length === before) {
      const [first] = group as [Line, ...Line[]];
      await attempt(first, result.refused, async () => {
        result.moves.push(await moveOf(keyNamed("subscription", name), group, seen, holders, deps));
      });
    }
  }
  return result;
}

/**
 * Stores a checked subscription and wakes it. The event is stored after the state: the next replay would fold the event
 * of an import that was refused. If the process stops between the two writes, importing the same file again repairs it.
 * @throws PreconditionFailed if the check no longer holds; nothing is stored then
 */
export async function executeMove(
  move: Move,
  deps: Pick<OperatorDependencies, "table" | "send" | "catalog" | "now">,
): Promise<void> {
  const { key, lines, event, licenses } = move;
  const { storefront, id } = partsOf(key);
  await rewrite(
    key,
    deps,
    (subscription) => {
      // A payment in months that arrived after the check would count months twice that the license's expiry already includes.
      if (!importEventIn(subscription, event.id) && statedIn(lines, "paidThrough") === undefined)
        refuseCountedPayments(subscription);
      const moved = importLicenses(fold(subscription, event), licenses, deps.catalog, nowOf(deps));
      return { subscription: moved, finished: [] };
    },
    newSubscription(storefront, id),
  );
  await keep(move, deps);
}

/** Stores the event of an import. Idempotent. */
export async function keep(
  { key, lines, event }: Kept,
  deps: Pick<OperatorDependencies, "table" | "now">,
): Promise<void> {
  const received = { id: event.id, type: importType, occurredAt: noTimestamp, receivedAt: nowOf(deps) };
  await deps.table.putEvent(key, { ...received, body: JSON.stringify(lines) }, [event], { status: "applied" });
}

/** Returns the event of an earlier import that changed the subscription but was not stored. */
async function cutOffAt(
  key: Key,
  lines: Line[],
  own: readonly Line[],
  { table }: Pick<OperatorDependencies, "table">,
): Promise<Kept[]> {
  const id = importEventId(own.map(({ elid }) => elid));
  const [stored, kept] = await Promise.all([table.load(key), keptOf(key, id, table)]);
  const event = stored && !kept && importEventIn(stored.subscription, id);
  return event ? [{ key, lines, event }] : [];
}

const keptOf = async (key: Key, id: string, table: OperatorDependencies["table"]): Promise<Event | undefined> =>
  (await table.events(key)).find(({ received }) => received.type === importType && received.id === id)?.events[0];

/** The subscription of each assigned license, by license id. */
export async function holdersIn({ table }: Pick<OperatorDependencies, "table">): Promise<Map<string, Key>> {
  const holders = new Map<string, Key>();
  let from: Page | undefined;
  do {
    const { found, next } = await table.subscriptions(from);
    for (const { key, subscription } of found) {
      for (const { license } of subscription.slots) if (license) holders.set(license.elid, key);
    }
    from = next;
  } while (from);
  return holders;
}

/** A license that cannot be read is refused and the check continues. A refused login stops it. */
async function attempt({ line }: Line, refused: Refusal[], check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    const isOfLine =
      error instanceof PreconditionFailed || (error instanceof ReadError && error.refused?.type !== "auth");
    if (!isOfLine) throw error;
    refused.push({ line, why: error.message });
  }
}

const isExtra = ({ extras }: Catalog, name: string): boolean => Object.hasOwn(extras, name);

/** Returns the license as billmgr shows it, or undefined for an extra. @throws PreconditionFailed */
async function checkLine(
  { line, subscription, elid, plan }: Line,
  own: readonly Line[],
  all: readonly Line[],
  holders: ReadonlyMap<string, Key>,
  { billmgr, catalog }: Pick<OperatorDependencies, "billmgr" | "catalog">,
): Promise<SeenLicense | undefined> {
  const key = keyNamed("subscription", subscription);
  if (!isElid(elid)) throw new PreconditionFailed(`elid: found "${elid}", expected a license number`);
  if (isExtra(catalog, plan)) {
    if (own.some((other) => other.elid === elid)) return undefined;
    throw new PreconditionFailed(
      `"${plan}" is an extra; add a line of ${subscription} with the plan of license ${elid}`,
    );
  }
  const terms = Object.hasOwn(catalog.plans, plan) ? catalog.plans[plan] : undefined;
  if (!terms)
    throw new PreconditionFailed(`the catalog has no plan "${plan}"${suggest(plan, Object.keys(catalog.plans))}`);
  soldName(catalog, partsOf(key).storefront, plan);
  const other = all.find((one) => one.elid === elid);
  if (other && other.line !== line) throw new PreconditionFailed(`license ${elid} is already in line ${other.line}`);
  const holder = holders.get(elid);
  if (holder && holder !== key)
    throw new PreconditionFailed(`license ${elid} is already assigned to ${nameOf(holder)}`);
  const { family = "" } = catalog.products[terms.product] ?? {};
  const seen = await billmgr.license(family, elid);
  if (!seen) throw new PreconditionFailed(`billmgr has no license ${elid} of ${family}`);
  refuseUnfit(seen, key, terms.product, catalog);
  return seen;
}

function refuseUnfit(seen: SeenLicense, key: Key, product: string, catalog: Catalog): void {
  const { elid, status, expiry, pricelist = "", remoteid, comment } = seen;
  if (status === "deleted") throw new PreconditionFailed(`license ${elid} is deleted`);
  if (status === "ordered")
    throw new PreconditionFailed(`license ${elid} is ordered but not paid; pay it in billmgr first`);
  if (status === "processing")
    throw new PreconditionFailed(`license ${elid} is processing; import it when billmgr has finished`);
  if (expiry === undefined)
    throw new PreconditionFailed(`billmgr shows no expiry for license ${elid}, so it could not be renewed`);
  const own = referenceOf(partsOf(key), { n: 1, generation: 1 });
  const another = [remoteid, comment].find((shown) => isReference(shown) && !haveSameOwner(shown, own));
  if (another)
    throw new PreconditionFailed(`license ${elid} has the reference ${another}, which belongs to another subscription`);
  // The form shows the pricelist's code. If it shows a name instead, there is nothing to compare.
  if (!/^\d+$/.test(pricelist) || pricelist === String(catalog.products[product]?.pricelist)) return;
  const [of] = Object.entries(catalog.products).find(([, one]) => String(one.pricelist) === pricelist) ?? [];
  throw new PreconditionFailed(
    of === undefined
      ? `license ${elid} has pricelist ${pricelist}, which is not in the catalog; the plan is of ${product}`
      : `license ${elid} is of product ${of} (pricelist ${pricelist}), but the plan is of ${product}`,
  );
}

async function moveOf(
  key: Key,
  lines: Line[],
  seen: ReadonlyMap<Line, SeenLicense>,
  holders: ReadonlyMap<string, Key>,
  deps: Pick<OperatorDependencies, "table" | "catalog" | "now">,
): Promise<Move> {
  const { table, catalog } = deps;
  const { storefront, id } = partsOf(key);
  const now = nowOf(deps);
  const known = (await table.load(key))?.subscription ?? newSubscription(storefront, id);
  const belongings = belongingsOf(storefront, lines, seen, catalog, now);
  const factId = importEventId(lines.filter((line) => seen.has(line)).map(({ elid }) => elid));
  // An event of an earlier import with the same licenses counts, even if the lines have changed since.
  const event = (await keptOf(key, factId, table)) ?? importEventIn(known, factId) ?? importEvent(known, belongings);
  const licenses = belongings.licenses.filter(({ license }) => !holders.has(license.elid));
  const moved = importLicenses(fold(known, event), licenses, catalog, now);
  const { steps, decision } = follow(moved, catalog, now, (step) => `<license ${step + 1}>`);
  return { key, lines, event, licenses, steps, next: decision };
}

/** @throws PreconditionFailed */
function belongingsOf(
  storefront: string,
  lines: readonly Line[],
  seen: ReadonlyMap<Line, SeenLicense>,
  catalog: Catalog,
  now: Instant,
): ImportedSubscription {
  const licenses = [...seen].map(([{ plan }, license]) => ({ plan, license: licenseOf(license, plan, catalog, now) }));
  const each = new Map<string, number>();
  const sold: ImportedSubscription["sold"] = [];
  for (const line of lines) {
    const { plan, quantity = quantityShown(catalog, plan, seen.get(line)?.addons ?? {}) } = line;
    if (catalog.plans[plan]?.quantity !== "licenses") {
      sold.push({ names: [soldName(catalog, storefront, plan)], quantity });
      continue;
    }
    if (line.quantity !== undefined && line.quantity !== 1) {
      throw new PreconditionFailed(
        `quantity is ${line.quantity}; each license of ${plan} needs its own line with quantity 1`,
      );
    }
    each.set(plan, (each.get(plan) ?? 0) + 1);
  }
  for (const [plan, quantity] of each) sold.push({ names: [soldName(catalog, storefront, plan)], quantity });
  const [customer, email, paidThrough] = (["customer", "email", "paidThrough"] as const).map((name) =>
    statedIn(lines, name),
  );
  return {
    sold,
    licenses,
    customer: { ...(customer && { id: customer }), ...(email && { email }) },
    ...(paidThrough && { paidThrough }),
  };
}

function statedIn(lines: readonly Line[], name: "customer" | "email" | "paidThrough"): string | undefined {
  const [one, another] = new Set(lines.flatMap((line) => line[name] ?? []));
  if (another !== undefined) throw new PreconditionFailed(`${name}: its lines contain both ${one} and ${another}`);
  return one;
}

function licenseOf(seen: SeenLicense, plan: string, catalog: Catalog, now: Instant): License {
  const product = catalog.products[catalog.plans[plan]?.product ?? ""];
  const codes = new Set(Object.values(product?.addons ?? {}).map(String));
  const suspended = isSuspended(seen);
  return {
    elid: seen.elid,
    family: product?.family ?? "",
    trial: false,
    suspended,
    ...(suspended && { suspendedAt: now }),
    // An addon that the catalog does not list is never changed, so it is not recorded.
    addons: Object.fromEntries(Object.entries(seen.addons).filter(([code]) => codes.has(code))),
    ...(seen.expiry && { expiry: seen.expiry }),
    ...(seen.key && { key: seen.key }),
    imported: true,
  };
}
