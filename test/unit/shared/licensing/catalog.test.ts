import { describe, expect, test } from "vitest";
import { CatalogError, lookUp, parseCatalog } from "../../../../shared/licensing/catalog.ts";

type Json = Record<string, unknown>;

const plan = (of: Json = {}) => ({ product: "vmmanager6", period: 1, ...of });
const catalog = (of: Json = {}) => ({
  billmgr: { url: "https://billmgr.example/manager/billmgr" },
  products: { vmmanager6: { pricelist: 55163, addons: { nodes: 55165 } } },
  plans: { "vm-monthly": plan() },
  ...of,
});
const withPlan = (of: Json) => catalog({ plans: { "vm-monthly": plan(of) } });
const problemsOf = (value: unknown): string => {
  try {
    parseCatalog(value);
  } catch (error) {
    if (error instanceof CatalogError) return error.message;
    throw error;
  }
  return "";
};

test("a catalog as the documentation shows it is read", () => {
  const shown = {
    billmgr: { url: "https://api.ispsystem.com/manager/billmgr" },
    products: {
      vmmanager6: { pricelist: 55163, addons: { nodes: 55165, virtualMachines: 55164 } },
      dcimanager6: { pricelist: 55161 },
    },
    plans: {
      "vm6-monthly": {
        product: "vmmanager6",
        period: 1,
        addons: { nodes: { perUnit: 1 } },
        soldAs: { stripe: ["price_1"], woocommerce: ["sku:vm6"] },
      },
      "dci6-yearly": {
        product: "dcimanager6",
        period: 12,
        quantity: "licenses",
        trial: { period: -100 },
        soldAs: { stripe: ["price_2"] },
      },
    },
    extras: {
      "vm6-node": { product: "vmmanager6", addons: { nodes: { perUnit: 1 } }, soldAs: { stripe: ["price_3"] } },
    },
    policy: { graceDays: 3, onEnd: "suspend", retentionDays: 14, renew: "on_payment", renewAheadDays: 2 },
    limits: { ordersPerHour: 20, ordersPerDay: 100 },
  };
  expect(parseCatalog(shown)).toMatchObject(shown);
});

test("what is left out has its default", () => {
  const { products, plans, extras, ignored, policy } = parseCatalog(catalog());
  expect({ products, plans, extras, ignored, policy }).toEqual({
    products: { vmmanager6: { pricelist: 55163, family: "platform", addons: { nodes: 55165 } } },
    plans: { "vm-monthly": { product: "vmmanager6", period: 1, addons: {}, quantity: "addons", autoprolong: null } },
    extras: {},
    ignored: {},
    policy: expect.objectContaining({
      graceDays: 3,
      onEnd: "suspend",
      retentionDays: 14,
      renew: "on_payment",
      renewAheadDays: 2,
      acceptTestMode: false,
    }),
  });
});

describe("an error names where, what was found and what was expected", () => {
  test.each([
    ["nothing", undefined, "the value is missing; expected an object"],
    ["text", "catalog", 'the value is "catalog"; expected an object'],
    ["a list", [], "the value is an array; expected an object"],
    ["no address", catalog({ billmgr: {} }), "billmgr.url is missing; expected a string"],
    [
      "a price list in text",
      catalog({ products: { x: { pricelist: "55163" } }, plans: {} }),
      'products.x.pricelist is "55163"; expected a number',
    ],
    [
      "half an addon",
      withPlan({ addons: { nodes: { base: 0.5 } } }),
      "plans.vm-monthly.addons.nodes.base is 0.5; expected a whole number",
    ],
    ["a negative day", catalog({ policy: { graceDays: -1 } }), "policy.graceDays is -1; expected 0 to 3660"],
    ["no months", withPlan({ period: 0 }), "plans.vm-monthly.period is 0; expected 1 to 36"],
    ["too many months", withPlan({ period: 37 }), "plans.vm-monthly.period is 37; expected 1 to 36"],
    ["another autoprolong", withPlan({ autoprolong: 3 }), "plans.vm-monthly.autoprolong is 3; expected 1 or 12"],
    [
      "an empty name",
      withPlan({ soldAs: { stripe: [""] } }),
      'plans.vm-monthly.soldAs.stripe[0] is ""; expected a non-empty string',
    ],
    ["a null", catalog({ limits: { ordersPerHour: null } }), "limits.ordersPerHour is null; expected a number"],
    [
      "a name with blanks",
      catalog({ plans: { "VM 6": plan({ period: "1" }) } }),
      'plans["VM 6"].period is "1"; expected a number',
    ],
  ])("%s", (_, value, message) => {
    expect(problemsOf(value)).toContain(message);
  });

  test("and all of them at the same time", () => {
    const lines = problemsOf(catalog({ policy: { graceDays: "3", onEnd: "keep" }, limits: { ordersPerDay: 0 } })).split(
      "\n",
    );
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "policy.graceDays",
      "policy.onEnd",
      "limits.ordersPerDay",
    ]);
  });

  test.each([
    ["http://billmgr.example/manager/billmgr"],
    ["https://user:password@billmgr.example/manager/billmgr"],
    ["https://billmgr.example/manager/billmgr?authinfo=a:b"],
    ["ftp://billmgr.example"],
    ["ftp://localhost"],
    ["billmgr.example"],
  ])("the address %s", (url) => {
    expect(problemsOf(catalog({ billmgr: { url } }))).toMatch(/^billmgr\.url is .*; expected an https URL/);
  });

  test.each(["http://127.0.0.1:3000/manager/billmgr", "http://localhost/manager/billmgr", "http://[::1]:1/x"])(
    "and takes %s on this machine",
    (url) => {
      expect(problemsOf(catalog({ billmgr: { url } }))).toBe("");
    },
  );
});

describe("a mistyped name is answered with the one that was meant", () => {
  test.each([
    ["a setting", catalog({ polcy: {} }), 'polcy is not a setting; did you mean "policy"?'],
    [
      "a setting inside",
      catalog({ policy: { graceDay: 1 } }),
      'policy.graceDay is not a setting; did you mean "graceDays"?',
    ],
    ["a setting of a plan", withPlan({ addon: {} }), 'plans.vm-monthly.addon is not a setting; did you mean "addons"?'],
    [
      "a choice",
      catalog({ policy: { onEnd: "suspnd" } }),
      'policy.onEnd is "suspnd"; expected "suspend" or "delete" or "lapse"; did you mean "suspend"?',
    ],
    [
      "a product",
      withPlan({ product: "vmmanger6" }),
      'plans.vm-monthly.product is "vmmanger6", which is not a product; did you mean "vmmanager6"?',
    ],
    [
      "an addon",
      withPlan({ addons: { node: {} } }),
      'plans.vm-monthly.addons.node is not an addon of "vmmanager6"; did you mean "nodes"?',
    ],
    [
      "a storefront",
      withPlan({ soldAs: { strpe: ["p"] } }),
      'plans.vm-monthly.soldAs.strpe is not a storefront; did you mean "stripe"?',
    ],
    [
      "a storefront of what is ignored",
      catalog({ ignored: { woocomerce: [] } }),
      'ignored.woocomerce is not a storefront; did you mean "woocommerce"?',
    ],
  ])("%s", (_, value, message) => {
    expect(problemsOf(value)).toBe(message);
  });

  test("and with all names where none is near", () => {
    expect(problemsOf(withPlan({ product: "cpanel" }))).toBe(
      'plans.vm-monthly.product is "cpanel", which is not a product; expected vmmanager6',
    );
  });

  test.each(["constructor", "toString", "__proto__"])("%s is no product and no addon", (name) => {
    const addons = JSON.parse(`{"${name}": {"base": 1}}`);
    expect(problemsOf(withPlan({ product: name }))).toContain(`is "${name}", which is not a product`);
    expect(problemsOf(withPlan({ product: name, addons: { nodes: {} } }))).toContain(
      `is "${name}", which is not a product`,
    );
    if (name !== "__proto__") expect(problemsOf(withPlan({ addons }))).toContain("is not an addon of");
  });
});

describe("one thing that is sold as two", () => {
  test.each([
    [
      "plans",
      { plans: { a: plan({ soldAs: { stripe: ["p"] } }), b: plan({ soldAs: { stripe: ["p"] } }) } },
      "plans.b.soldAs.stripe",
    ],
    [
      "a plan and an extra",
      {
        plans: { a: plan({ soldAs: { stripe: ["p"] } }) },
        extras: { x: { product: "vmmanager6", addons: {}, soldAs: { stripe: ["p"] } } },
      },
      "extras.x.soldAs.stripe",
    ],
    [
      "a plan and nothing",
      { plans: { a: plan({ soldAs: { stripe: ["p"] } }) }, ignored: { stripe: ["p"] } },
      "ignored.stripe",
    ],
  ])("is an error: %s", (_, of, path) => {
    expect(problemsOf(catalog(of))).toBe(`${path} lists "p", which is already sold as plans.a; list each id once`);
  });

  test("is an error: a plan and an extra of one name", () => {
    const extras = { monthly: { product: "vmmanager6", addons: {} } };
    expect(problemsOf(catalog({ plans: { monthly: plan() }, extras }))).toBe(
      "extras.monthly has the name of a plan; choose another name",
    );
  });

  test("is none at two storefronts", () => {
    const two = { a: plan({ soldAs: { stripe: ["p"] } }), b: plan({ soldAs: { paddle: ["p"] } }) };
    expect(problemsOf(catalog({ plans: two }))).toBe("");
  });
});

test("a license that is left to lapse is not prolonged by billmgr itself", () => {
  const plans = { a: plan({ autoprolong: 12 }), b: plan({ autoprolong: null }), c: plan({ autoprolong: 1 }) };
  expect(problemsOf(catalog({ plans, policy: { onEnd: "delete" } }))).toBe("");
  expect(problemsOf(catalog({ plans, policy: { onEnd: "lapse" } }))).toBe(
    [
      'plans.a.autoprolong is 12; expected null, because policy.onEnd is "lapse" and billmgr would keep renewing',
      'plans.c.autoprolong is 1; expected null, because policy.onEnd is "lapse" and billmgr would keep renewing',
    ].join("\n"),
  );
});

describe("an item", () => {
  const shop = parseCatalog(
    catalog({
      plans: { monthly: plan({ soldAs: { stripe: ["price_1", "prod_1"] } }) },
      extras: { node: { product: "vmmanager6", addons: {}, soldAs: { stripe: ["price_2"] } } },
      ignored: { stripe: ["price_3"], standard: ["support"] },
    }),
  );
  test.each([
    ["stripe", ["price_1"], { plan: "monthly" }],
    ["stripe", ["price_new", "prod_1"], { plan: "monthly" }],
    ["stripe", ["price_2"], { extra: "node" }],
    ["stripe", ["price_3"], "ignored"],
    ["stripe", ["price_4", "prod_4"], undefined],
    ["stripe", ["monthly"], undefined],
    ["paddle", ["price_1"], undefined],
    ["standard", ["monthly"], { plan: "monthly" }],
    ["standard", ["node"], { extra: "node" }],
    ["standard", ["support"], "ignored"],
    ["standard", ["constructor"], undefined],
  ])("of %s named %j is %j", (storefront, names, found) => {
    expect(lookUp(shop, storefront, { names, quantity: 1 })).toEqual(found);
  });
});
