import type { SharerOf } from "../intake/claims.ts";
import type { Key } from "../intake/message.ts";
import type { LineOwners } from "../licensing/line-owners.ts";
import type { Instant } from "../licensing/time.ts";
import type { Items } from "./items.ts";

/** A reference that several subscriptions share: an order, with the owners of its lines. */
export type SharedReferences = {
  /** The first statement of a link counts. */
  putSharer(key: Key, sharer: SharerOf, at: Instant): Promise<void>;
  /** In the order in which they were linked. */
  sharers(key: Key): Promise<SharerOf[]>;
  /** A line never changes its owner: what it paid for may be bought already. */
  putLineOwner(key: Key, line: string, to: string): Promise<void>;
  lineOwners(key: Key): Promise<LineOwners>;
  /** Wakes the reference at that moment, once. */
  putCheck(key: Key, at: Instant): Promise<void>;
  /** When the check is due, until it is finished. */
  checkDue(key: Key): Promise<Instant | undefined>;
  finishCheck(key: Key): Promise<void>;
};

type SharerItem = { to: Key; months?: number; at: Instant };

/** `dueAgenda`: the agenda that wakes a key. */
export function sharedReferencesIn(
  { get, put, update, collect }: Items,
  dueAgenda: (key: Key) => string,
): SharedReferences {
  const ifNew = { if: "attribute_not_exists(pk)" };
  return {
    async putSharer(key, { to, months }, at) {
      await put({ pk: key, sk: `sharer#${to}`, to, at, ...(months !== undefined && { months }) }, ifNew);
    },

    async sharers(key) {
      const stored = await collect<SharerItem>(key, "sharer#");
      stored.sort((a, b) => (a.at === b.at ? (a.to < b.to ? -1 : 1) : a.at < b.at ? -1 : 1));
      return stored.map(({ to, months }) => ({ to, ...(months !== undefined && { months }) }));
    },

    async putLineOwner(key, line, to) {
      await put({ pk: key, sk: `line#${line}`, line, to }, ifNew);
    },

    async lineOwners(key) {
      const stored = await collect<{ line: string; to: string }>(key, "line#");
      return Object.fromEntries(stored.map(({ line, to }) => [line, to]));
    },

    async putCheck(key, at) {
      await put({ pk: key, sk: "check", agenda: dueAgenda(key), agendaAt: at }, ifNew);
    },

    async checkDue(key) {
      const stored = await get(key, "check");
      return stored?.agendaAt as Instant | undefined;
    },

    async finishCheck(key) {
      await update(key, "check", "REMOVE agenda, agendaAt", { if: "attribute_exists(pk)" });
    },
  };
}
