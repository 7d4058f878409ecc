import { describe, expect, test } from "vitest";
import { parseCatalog } from "../../../../shared/licensing/catalog.ts";
import { assign, demandsOf } from "../../../../shared/licensing/demand.ts";
import type { Event } from "../../../../shared/licensing/event.ts";
import type { Reason, ReasonCode } from "../../../../shared/licensing/reasons.ts";
import type { Slot } from "../../../../shared/licensing/subscription.ts";
import {
  billedBy,
  catalogJson,
  catalogWith,
  changed,
  paid,
  refunded,
  type Sold,
  slot,
  subscriptionOf,
} from "../../../support/events.ts";

const catalog = catalogWith();
const demandsFor = (...items: Sold[]) => {
  const { demands, problems } = demandsOf(subscriptionOf(changed("2027-01-01", ...items)), catalog);
  expect(problems).toEqual([]);
  return demands;
};

describe("demands", () => {
  test.each<[string, Sold[], [string, Record<string, number>][]]>([
    ["a plan", ["vm-monthly"], [["vm-monthly", { 55165: 1 }]]],
    ["a plan by quantity", [["vm-monthly", 3]], [["vm-monthly", { 55165: 3 }]]],
    ["a base in addition to the quantity", [["vm-yearly", 3]], [["vm-yearly", { 55165: 5 }]]],
    [
      "licenses by quantity",
      [["vm-each", 2]],
      [
        ["vm-each", { 55165: 1 }],
        ["vm-each", { 55165: 1 }],
      ],
    ],
    ["a plan with the quantity 0", [["vm-monthly", 0]], []],
    ["an ignored item", ["support"], []],
    ["an extra, listed first", [["extra-node", 2], "vm-monthly"], [["vm-monthly", { 55165: 3 }]]],
    ["an extra of another addon", ["vm-monthly", "extra-machines"], [["vm-monthly", { 55165: 1, 55164: 10 }]]],
    [
      "an extra with several licenses",
      [["vm-each", 2], "extra-node"],
      [
        ["vm-each", { 55165: 2 }],
        ["vm-each", { 55165: 1 }],
      ],
    ],
    [
      "plans of two products",
      ["vm-monthly", "dci-monthly"],
      [
        ["vm-monthly", { 55165: 1 }],
        ["dci-monthly", {}],
      ],
    ],
  ])("of %s", (_, items, expected) => {
    expect(demandsFor(...items).map(({ plan, addons }) => [plan, addons])).toEqual(expected);
  });

  test("are a thousand licenses at most", () => {
    expect(demandsFor(["vm-each", 400], ["vm-each", 600])).toHaveLength(1000);
  });

  test("have a million of an addon at most", () => {
    expect(demandsFor(["vm-monthly", 1_000_000])).toMatchObject([{ addons: { 55165: 1_000_000 } }]);
  });

  test("contain every name under which an unknown item was sold", () => {
    const items = { asOf: "2027-01-01T00:00:00.000Z", list: [{ names: ["price_1", "prod_1"] }] };
    expect(demandsOf(subscriptionOf({ ...changed("2027-01-01"), items }), catalog).problems).toEqual([
      { code: "unknown_item", storefront: "standard", names: ["price_1", "prod_1"] },
    ]);
  });

  test.each<[string, Sold[], Reason, number]>([
    ["an unknown name", ["vm-weekly"], { code: "unknown_item", storefront: "standard", names: ["vm-weekly"] }, 0],
    [
      "an extra without its product",
      ["dci-monthly", "extra-node"],
      { code: "extra_without_plan", extra: "extra-node", product: "vmmanager6" },
      1,
    ],
    [
      "more than a thousand licenses",
      [
        ["vm-each", 600],
        ["vm-each", 401],
      ],
      { code: "too_many_licenses", max: 1000 },
      600,
    ],
    [
      "more than a million of an addon",
      [
        ["vm-monthly", 999_999],
        ["extra-node", 2],
      ],
      { code: "addon_too_large", addon: "55165", value: 1_000_001, max: 1_000_000 },
      0,
    ],
  ])("have a problem with %s, and leave the rest", (_, items, problem, count) => {
    const { demands, problems } = demandsOf(subscriptionOf(changed("2027-01-01", ...items)), catalog);
    expect(problems).toEqual([problem]);
    expect(demands).toHaveLength(count);
  });

  test("F9: have no problem with an unknown item that keeps the plan next to it", () => {
    const { demands, problems } = demandsOf(subscriptionOf(changed("2027-01-01", "vm-monthly", "vm-weekly")), catalog);
    expect(demands).toMatchObject([{ plan: "vm-monthly" }]);
    expect(problems).toMatchObject([{ code: "unknown_item" }]);
  });

  test("use the quantity that was stated last where an event states none", () => {
    const stated = [
      changed("2027-01-01", ["vm-each", 2]),
      changed("2027-01-03", "vm-each"),
      changed("2027-01-02", ["vm-each", 3]),
    ];
    expect(demandsOf(subscriptionOf(...stated), catalog).demands).toHaveLength(3);
  });

  test.each<[string, Event[], ReasonCode[]]>([
    ["nothing while nothing is paid", [], []],
    ["a missing plan", [paid("2027-01-01", { months: 1 })], ["plan_not_stated"]],
    ["a missing period", [paid("2027-01-01", { intervals: 1 }, { items: ["vm-monthly"] })], ["period_not_stated"]],
    [
      "no period that another event states",
      [paid("2027-01-01", { intervals: 1 }, { items: ["vm-monthly"] }), billedBy("2027-01-02", 1)],
      [],
    ],
    [
      "a quantity of 0 that is paid",
      [paid("2027-01-01", { months: 1 }, { items: [["vm-monthly", 0]] })],
      ["nothing_sold"],
    ],
    ["no ignored item that is paid", [paid("2027-01-01", { months: 1 }, { items: ["support"] })], []],
    [
      "no plan that was refunded",
      [paid("2027-01-01", { months: 1 }, { payment: "p" }), refunded("2027-01-02", "p")],
      [],
    ],
  ])("have a problem with %s", (_, events, codes) => {
    expect(demandsOf(subscriptionOf(...events), catalog).problems.map(({ code }) => code)).toEqual(codes);
  });

  test("prefer the price to the product that both plans share", () => {
    const [monthly, yearly] = [{ stripe: ["prod_vm"] }, { stripe: ["price_yearly"] }];
    const shared = parseCatalog({
      ...catalogJson,
      plans: {
        monthly: { product: "vmmanager6", period: 1, soldAs: monthly },
        yearly: { product: "vmmanager6", period: 12, soldAs: yearly },
      },
    });
    const items = { asOf: "2027-01-01T00:00:00.000Z", list: [{ names: ["price_yearly", "prod_vm"], quantity: 1 }] };
    const subscription = { ...subscriptionOf({ ...changed("2027-01-01"), items }), storefront: "stripe" };
    expect(demandsOf(subscription, shared)).toMatchObject({ demands: [{ plan: "yearly" }] });
  });
});

describe("the assignment", () => {
  const vm = (n: number, plan = "vm-each", of: Parameters<typeof slot>[0] = {}) => slot({ n, plan, ...of });
  const empty = (n: number, generation: number): Slot => {
    const { license: _, ...rest } = slot({ n, generation });
    return rest;
  };
  const outline = (slots: Slot[], items: Sold[], areTrialsOver = false) => {
    const { filled, vacant, surplus } = assign(
      slots,
      demandsFor(...items),
      ({ license }) => license.trial && areTrialsOver,
    );
    return {
      filled: filled.map((pair) => [pair.slot.n, pair.demand.plan]),
      vacant: vacant.map((pair) => [pair.slot.n, pair.slot.generation, pair.slot.plan]),
      surplus: surplus.map((one) => [one.slot.n, one.replacement?.n !== undefined]),
    };
  };

  test.each<[string, Slot[], Sold[], ReturnType<typeof outline>]>([
    ["the first slot to the first demand", [], ["vm-each"], { filled: [], vacant: [[1, 1, "vm-each"]], surplus: [] }],
    [
      "new slots after the last",
      [vm(1), vm(3)],
      [["vm-each", 3]],
      {
        filled: [
          [1, "vm-each"],
          [3, "vm-each"],
        ],
        vacant: [[4, 1, "vm-each"]],
        surplus: [],
      },
    ],
    [
      "an empty slot before a new one, in its generation",
      [empty(1, 4), vm(2)],
      [["vm-each", 2]],
      { filled: [[2, "vm-each"]], vacant: [[1, 4, "vm-each"]], surplus: [] },
    ],
    [
      "the lowest slots, the newest too many",
      [vm(1), vm(2), vm(3)],
      ["vm-each"],
      {
        filled: [[1, "vm-each"]],
        vacant: [],
        surplus: [
          [2, false],
          [3, false],
        ],
      },
    ],
    [
      "a license to its own plan first",
      [vm(1, "vm-yearly"), vm(2, "vm-monthly")],
      ["vm-monthly", "vm-yearly"],
      {
        filled: [
          [2, "vm-monthly"],
          [1, "vm-yearly"],
        ],
        vacant: [],
        surplus: [],
      },
    ],
    [
      "a license to another plan of its product",
      [vm(1, "vm-monthly")],
      ["vm-yearly"],
      { filled: [[1, "vm-yearly"]], vacant: [], surplus: [] },
    ],
    [
      "no license to another product",
      [vm(1)],
      ["dci-monthly"],
      { filled: [], vacant: [[2, 1, "dci-monthly"]], surplus: [[1, false]] },
    ],
  ])("gives %s", (_, slots, items, expected) => {
    expect(outline(slots, items)).toEqual(expected);
  });

  test.each([
    [{ n: 1, generation: 1 }, true],
    [{ n: 1, generation: 2 }, false],
    [undefined, false],
  ])("takes a license as replaced by the one that was ordered in its place: %j", (replaces, replaced) => {
    const slots = [vm(1), vm(2, "dci-monthly", { product: "dcimanager6", ...(replaces && { replaces }) })];
    expect(outline(slots, ["dci-monthly"])).toMatchObject({ filled: [[2, "dci-monthly"]], surplus: [[1, replaced]] });
  });

  test("gives no demand to an exhausted license", () => {
    const slots = [vm(1, "vm-trial", { trial: true })];
    expect(outline(slots, ["vm-trial"], false)).toMatchObject({ filled: [[1, "vm-trial"]], vacant: [], surplus: [] });
    expect(outline(slots, ["vm-trial"], true)).toMatchObject({
      filled: [],
      vacant: [[2, 1, "vm-trial"]],
      surplus: [[1, false]],
    });
  });
});
