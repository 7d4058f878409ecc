import { describe, expect, test } from "vitest";
import {
  addAttention,
  dropAttention,
  isBlocked,
  openOperations,
  withAttention,
} from "../../../../shared/licensing/attention.ts";
import { type Decision, decide } from "../../../../shared/licensing/decide.ts";
import { anyOrder, blockOf, type Change } from "../../../../shared/licensing/operation.ts";
import { claim, record } from "../../../../shared/licensing/operation-lifecycle.ts";
import type { Reason } from "../../../../shared/licensing/reasons.ts";
import type { Attention, Subscription } from "../../../../shared/licensing/subscription.ts";
import {
  catalogWith,
  licensed,
  operation,
  orderOf,
  paid,
  refunded,
  slot,
  subscriptionOf,
  utc,
} from "../../../support/events.ts";

const earlier = utc("2027-01-01");
const now = utc("2027-01-05");
const of101 = { slot: 1, elid: "101", family: "platform" };
const suspend: Change = { kind: "suspend", ...of101 };
const resume: Change = { kind: "resume", ...of101 };
const remove: Change = { kind: "delete", ...of101 };
const edit: Change = { kind: "edit", ...of101, plan: "vm-monthly", addons: { "55165": 2 } };
const prolong: Change = { kind: "prolong", ...of101, plan: "vm-monthly", period: 1, expiry: "2027-03-01" };
const order = orderOf();

const settled = (of: Partial<Pick<Decision, "attention" | "blocked">> = {}): Decision => ({
  kind: "settled",
  attention: [],
  blocked: [],
  ...of,
});
const unknownItem = (name: string): Reason => ({ code: "unknown_item", storefront: "standard", names: [name] });
const refused = (change: Change, of: Partial<Attention> = {}): Attention => ({
  reason: { code: "refused", change, response: "error value: No" },
  since: earlier,
  blocks: blockOf(change),
  ...of,
});
const withItems = (...attention: Attention[]): Subscription => ({ ...licensed([slot()]), attention });

describe("an item that follows from facts", () => {
  test("begins when a decision contains it first, and keeps that time", () => {
    const first = withAttention(licensed([]), settled({ attention: [unknownItem("a")] }), earlier);
    expect(first.attention).toEqual([{ reason: unknownItem("a"), since: earlier }]);
    const later = withAttention(first, settled({ attention: [unknownItem("b"), unknownItem("a")] }), now);
    expect(later.attention).toEqual([
      { reason: unknownItem("a"), since: earlier },
      { reason: unknownItem("b"), since: now },
    ]);
  });

  test("keeps its time while its facts change, where they are about the same", () => {
    const tooLarge = (bytes: number): Reason => ({ code: "too_large", bytes });
    const first = withAttention(licensed([]), settled({ attention: [tooLarge(300_001)] }), earlier);
    expect(withAttention(first, settled({ attention: [tooLarge(300_002)] }), now).attention).toEqual([
      { reason: tooLarge(300_002), since: earlier },
    ]);
  });

  test("ends with the facts, and begins again with them", () => {
    const first = withAttention(licensed([]), settled({ attention: [unknownItem("a")] }), earlier);
    const over = withAttention(first, settled(), now);
    expect(over).not.toHaveProperty("attention");
    const again = withAttention(over, settled({ attention: [unknownItem("a")] }), now);
    expect(again.attention).toMatchObject([{ since: now }]);
  });

  test("does not take the time of an outcome's item of the same reason", () => {
    const items = withItems(refused(suspend));
    const reason = refused(suspend).reason;
    expect(withAttention(items, settled({ attention: [reason] }), now).attention).toEqual([{ reason, since: now }]);
  });
});

describe("an item of an outcome", () => {
  test("lasts while it blocks a change that is wanted", () => {
    const items = withItems(refused(suspend), refused(edit));
    const left = withAttention(items, settled({ blocked: [blockOf(edit)] }), now);
    expect(left.attention).toEqual([refused(edit)]);
  });

  test("ends when the change has another target", () => {
    const other = { ...edit, addons: { "55165": 3 } };
    expect(
      withAttention(withItems(refused(edit)), settled({ blocked: [blockOf(other)] }), now).attention,
    ).toBeUndefined();
  });

  test("ends when its time is over", () => {
    const until = utc("2027-01-05T10:00");
    const items = withItems(refused(order, { until }));
    const blocked = settled({ blocked: [blockOf(order)] });
    expect(withAttention(items, blocked, utc("2027-01-05T09:59")).attention).toHaveLength(1);
    expect(withAttention(items, blocked, until).attention).toBeUndefined();
  });

  test("of an open operation lasts as long as that is open", () => {
    const item: Attention = { reason: { code: "in_cart", operation: 2, change: order }, since: earlier, operation: 2 };
    const open = operation({ n: 2, change: order, state: "unknown" });
    const finished = operation({ n: 3, change: edit, state: "finished" });
    expect(withAttention({ ...withItems(item), operation: open }, settled(), now).attention).toEqual([item]);
    const parked = { ...withItems(item), operation: finished, parked: [open] };
    expect(withAttention(parked, settled(), now).attention).toEqual([item]);
    expect(withAttention({ ...withItems(item), operation: finished }, settled(), now).attention).toBeUndefined();
  });

  test("comes after older items, whatever they are of", () => {
    const items = withItems(
      refused(suspend, { since: utc("2027-01-03") }),
      refused(edit, { since: utc("2027-01-02") }),
    );
    const decision = settled({ blocked: [blockOf(edit), blockOf(suspend)], attention: [unknownItem("a")] });
    expect(withAttention(items, decision, now).attention?.map(({ since }) => since.slice(0, 10))).toEqual([
      "2027-01-02",
      "2027-01-03",
      "2027-01-05",
    ]);
  });
});

describe("a backoff", () => {
  const backoff = { since: earlier, until: utc("2027-01-05T01:00"), why: "ECONNREFUSED", times: 4, absences: 2 };
  const backing: Subscription = { ...licensed([slot()]), backoff };

  test("F14: ends with what it was for", () => {
    expect(withAttention(backing, settled(), now)).not.toHaveProperty("backoff");
  });

  test("F14: of an order that was refunded meanwhile does not hold up the next one", () => {
    const catalog = catalogWith();
    const january = paid("2027-01-01", { through: "2027-02-01" }, { items: ["vm-monthly"], payment: "january" });
    const intent = { change: order, why: "wanted", before: {} };
    const unsent = record(
      claim(subscriptionOf(january), intent, { params: {}, now: earlier, deadline: earlier }),
      { outcome: "not_sent", response: "ECONNREFUSED" },
      earlier,
    );
    expect(unsent.backoff).toBeDefined();
    const facts = subscriptionOf(january, refunded("2027-01-02", "january"));
    const refundedOne = { ...unsent, payments: facts.payments };
    const rested = withAttention(refundedOne, decide(refundedOne, catalog, now), now);
    expect(rested.backoff).toBeUndefined();
    const { payments } = subscriptionOf(paid("2027-03-05", { through: "2027-04-05" }));
    expect(decide({ ...rested, payments }, catalog, utc("2027-03-05"))).toMatchObject({
      kind: "change",
      attention: [],
    });
  });

  test("lasts while a change waits for it", () => {
    const { until, why } = backoff;
    const waiting: Decision = { kind: "wait", until, why, attention: [], blocked: [] };
    expect(withAttention(backing, waiting, now).backoff).toEqual(backoff);
  });

  test("lasts while an operation is open", () => {
    const open = operation({ change: suspend, state: "unknown" });
    expect(withAttention({ ...backing, operation: open }, settled(), now).backoff).toEqual(backoff);
  });
});

describe("an added item", () => {
  test("follows the ones before", () => {
    const items = addAttention(addAttention(licensed([]), refused(suspend)), refused(edit, { since: now }));
    expect(items.attention).toEqual([refused(suspend), refused(edit, { since: now })]);
  });

  test("of the same reason takes the place of the one before, and keeps its time", () => {
    const again = refused(suspend, { since: now, until: utc("2027-02-01") });
    expect(addAttention(withItems(refused(suspend)), again).attention).toEqual([{ ...again, since: earlier }]);
  });

  test("about an operation takes the place of the one that was about it", () => {
    const facts = { operation: 3, change: order, evidence: "license 7 is ordered" };
    const first: Attention = { reason: { code: "not_confirmed", ...facts }, since: earlier, operation: 3 };
    const second: Attention = { reason: { code: "unpaid_at_billmgr", ...facts }, since: now, operation: 3 };
    const of4: Attention = { ...first, reason: { code: "not_confirmed", ...facts, operation: 4 }, operation: 4 };
    expect(addAttention(withItems(first, of4, refused(edit)), second).attention).toEqual([of4, refused(edit), second]);
  });

  test("can be dropped: without items there is no list", () => {
    const items = withItems(refused(suspend), refused(edit));
    const left = dropAttention(items, ({ blocks }) => blocks?.kind === "edit");
    expect(left.attention).toEqual([refused(suspend)]);
    expect(dropAttention(left, () => true)).not.toHaveProperty("attention");
    expect(dropAttention(licensed([]), () => true)).not.toHaveProperty("attention");
  });
});

describe("a change is blocked", () => {
  test.each<[string, Attention, Change, boolean]>([
    ["by an item of the same change", refused(suspend), suspend, true],
    ["not by an item of another kind", refused(suspend), resume, false],
    ["not by an item of another slot", refused({ ...suspend, slot: 2 }), suspend, false],
    ["not by an item of another license", refused({ ...suspend, elid: "102" }), suspend, false],
    ["not by an item of other addons", refused({ ...edit, addons: {} }), edit, false],
    ["by an item of the same order for another slot", refused(orderOf({ slot: 2 })), order, true],
    ["not by an item of an order of another plan", refused(orderOf({ plan: "vm-yearly" })), order, false],
    ["by an item of any order", refused(orderOf({ plan: "vm-yearly" }), { blocks: anyOrder }), order, true],
    ["not by an item of any order, where it is none", refused(order, { blocks: anyOrder }), suspend, false],
    ["not by an item of facts", { reason: unknownItem("a"), since: earlier }, suspend, false],
    ["not by an item whose time is over", refused(suspend, { until: now }), suspend, false],
    ["by an item whose time is not over", refused(suspend, { until: utc("2027-01-06") }), suspend, true],
  ])("%s", (_, item, change, is) => {
    expect(isBlocked(withItems(item), change, now)).toBe(is);
  });

  test.each<[Change, Change[]]>([
    [order, [order, prolong]],
    [prolong, [order, prolong]],
    [edit, [edit]],
    [suspend, [suspend, resume]],
    [resume, [suspend, resume]],
    [remove, [order, prolong, edit, suspend, resume, remove]],
  ])("by an open operation of its slot (%#)", (open, blocked) => {
    const all = [order, prolong, edit, suspend, resume, remove];
    const latest = { ...licensed([slot()]), operation: operation({ change: open, state: "unknown" }) };
    const parked = { ...licensed([slot()]), parked: [operation({ change: open, state: "unconfirmed" })] };
    for (const subscription of [latest, parked]) {
      expect(all.filter((change) => isBlocked(subscription, change, now))).toEqual(blocked);
      expect(all.filter((change) => isBlocked(subscription, { ...change, slot: 2 }, now))).toEqual([]);
    }
    const finished = { ...licensed([slot()]), operation: operation({ change: open, state: "finished" }) };
    expect(all.filter((change) => isBlocked(finished, change, now))).toEqual([]);
  });

  test("by an open purchase of the slot whose license it is to replace", () => {
    const replacing = orderOf({ slot: 2, replaces: { n: 1, generation: 1 } });
    const under = (change: Change) => ({ ...licensed([slot()]), operation: operation({ change, state: "unknown" }) });
    expect([prolong, order, edit, suspend].map((change) => isBlocked(under(change), replacing, now))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe("parked operations", () => {
  const open = operation({ n: 1, change: orderOf({ slot: 2 }), state: "unknown", due: utc("2027-01-05T01:00") });
  const item: Attention = {
    reason: { code: "in_cart", operation: 1, change: open.change },
    since: earlier,
    operation: 1,
  };
  const parked: Subscription = {
    ...licensed(
      [slot(), { n: 2, generation: 1, product: "vmmanager6", plan: "vm-each" }],
      paid("2027-01-01", { through: "2027-02-01" }, { items: [["vm-each", 2]] }),
    ),
    attention: [item],
    parked: [open],
    operation: operation({ n: 2, change: edit, state: "finished" }),
  };

  test("come before the latest one", () => {
    const latest = { ...parked, operation: operation({ n: 3, change: edit, state: "claimed" }) };
    expect(openOperations(latest).map(({ n }) => n)).toEqual([1, 3]);
    expect(openOperations(parked).map(({ n }) => n)).toEqual([1]);
  });

  test("are observed when they are due", () => {
    expect(decide(parked, catalogWith(), utc("2027-01-05T01:00"))).toMatchObject({ kind: "observe", operation: 1 });
  });

  test("hold up nothing but what they are about", () => {
    const stopped = { ...parked, slots: [slot({ suspended: true }), ...parked.slots.slice(1)] };
    expect(decide(stopped, catalogWith(), now)).toMatchObject({ kind: "change", change: { kind: "resume", slot: 1 } });
    expect(decide(parked, catalogWith(), now)).toMatchObject({ kind: "settled", until: utc("2027-01-05T01:00") });
  });

  test("without an attention item hold up everything until they are observed", () => {
    const { attention, ...quiet } = parked;
    expect(decide(quiet, catalogWith(), now)).toMatchObject({ kind: "wait", until: utc("2027-01-05T01:00") });
  });
});
