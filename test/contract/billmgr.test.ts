import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FaultPlan } from "../../local/simulators/billmgr/index.ts";
import { serveSandbox } from "../../local/simulators/billmgr/serve.ts";
import { type Billmgr, createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Change } from "../../shared/licensing/operation.ts";
import { orderOf } from "../support/events.ts";
import { authinfoWith } from "../support/secrets.ts";

const now = () => new Date("2026-11-23T08:00:00Z");
const authinfo = authinfoWith(":word&<%20>");
let served: Awaited<ReturnType<typeof serveSandbox>>;
let billmgr: Billmgr;

beforeEach(async () => {
  served = await serveSandbox({ now, authinfo: () => authinfo, settings: { processingSeconds: 0 } });
  billmgr = createBillmgr(postTo(served.url), async () => authinfo);
});
afterEach(() => served.close());

const order = orderOf({ plan: "vm6", addons: { 55165: 2 } });
const call = (change: Change, reference = "bw-1") => billmgr.call(change.kind, requestOf(change, reference));
const elid = "334673";
const of = { slot: 1, elid, family: "platform" };

describe("the client with the simulated billmgr", () => {
  test("performs the six operations with the requested parameters", async () => {
    const outcomes = [
      await call(order),
      await call({ ...of, kind: "prolong", plan: "vm6", period: 12, expiry: "2027-12-23" }),
      await call({ ...of, kind: "edit", plan: "vm6", addons: { 55165: 5, 55164: 100 } }),
      await call({ ...of, kind: "suspend" }),
      await call({ ...of, kind: "resume" }),
      await call({ ...of, kind: "delete" }),
    ];
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(6).fill("done"));
    expect(outcomes[0]).toMatchObject({ elid });
    expect(served.sandbox.ledger()).toMatchObject([
      { operation: "order", pricelist: 55163, period: 1, addons: { 55165: 2 }, remoteid: "bw-1", comment: "bw-1" },
      { operation: "prolong", expiry: "2027-12-23" },
      { operation: "edit", addons: { 55165: 5, 55164: 100 }, comment: "bw-1" },
      { operation: "suspend" },
      { operation: "resume" },
      { operation: "delete" },
    ]);
  });

  test("reads a license, a quote that changes nothing, and the balance", async () => {
    await call(order);
    expect(await billmgr.license("platform", elid)).toMatchObject({
      elid,
      status: "active",
      expiry: "2026-12-23",
      comment: "bw-1",
      addons: { 55165: 2 },
    });
    expect(await billmgr.quote(elid, 1)).toMatchObject({ expiry: "2026-12-23", newExpiry: "2027-01-23" });
    const { balance } = served.sandbox.ledger()[0] ?? {};
    expect(await billmgr.balance()).toEqual({ amount: balance, currency: "EUR" });
    expect(await billmgr.license("platform", "1")).toBeUndefined();
    expect(served.sandbox.ledger()).toHaveLength(1);
  });

  test("reads a complete list of several pages, although a filter was left in the account", async () => {
    served.sandbox.configure({ balance: 1e9 });
    for (let i = 0; i < 260; i++) await call(order, `bw-${i}`);
    await call({ ...of, kind: "delete" });
    for (const filter of [{ status: "4" }, { pricelist: "55161" }, { id: "334700" }] as Record<string, string>[]) {
      const body = new URLSearchParams({ authinfo, out: "xml", func: "platform.filter", sok: "ok", ...filter });
      await fetch(served.url, { method: "POST", body });
      expect(await billmgr.licenses("platform")).toMatchObject({ rows: { length: 260 } });
    }
    expect((await billmgr.licenses("platform")).incomplete).toBeUndefined();
    const { rows } = await billmgr.licenses("platform");
    expect(rows.map((row) => row.remoteid)).toEqual(Array.from({ length: 260 }, (_, i) => `bw-${i}`));
    expect(rows[0]).toMatchObject({ elid, status: "deleted", createdOn: "2026-11-23", expiry: "2026-12-23" });
  });

  test("uses the functions of the license's family", async () => {
    await call({ ...order, family: "soft", pricelist: 55227, addons: {} });
    expect(await billmgr.license("soft", elid)).toMatchObject({ status: "active" });
    expect((await billmgr.licenses("soft")).rows).toHaveLength(1);
    expect((await billmgr.licenses("platform")).rows).toHaveLength(0);
  });

  test.each<[FaultPlan["fault"], Partial<FaultPlan>, string]>([
    ["act_then_drop", {}, "unknown"],
    ["drop_before_acting", {}, "unknown"],
    ["long_request", {}, "unknown"],
    ["html", {}, "unknown"],
    ["captcha", {}, "unknown"],
    ["503", {}, "unknown"],
    ["429", {}, "unknown"],
    ["truncated", {}, "unknown"],
    ["malformed", {}, "unknown"],
    ["empty", {}, "unknown"],
    ["basket", {}, "unknown"],
    ["reply_without_id", {}, "unknown"],
    ["reply_item_id", {}, "done"],
    ["error", { type: "value", object: "pricelist" }, "refused"],
    ["error", { type: "access", object: "platform.order.param" }, "refused"],
    ["error", { type: "missed", object: "pricelist" }, "refused"],
    ["error", { type: "exists", object: "license" }, "refused"],
    ["error", { type: "auth", object: "badpassword" }, "refused"],
    ["error", { type: "money", object: "balance" }, "unknown"],
    ["error", { type: "xml", object: "xpath" }, "unknown"],
  ])("an order answered by %s %o is %s", async (fault, more, outcome) => {
    served.sandbox.plan({ fault, ...more, func: "order" });
    expect(await call(order)).toMatchObject({ outcome });
  });

  test("reports a refused password for calls and reads", async () => {
    const unauthorized = createBillmgr(postTo(served.url), async () => authinfoWith("-of-old"));
    expect(await unauthorized.call("order", requestOf(order, "bw-1"))).toMatchObject({
      outcome: "refused",
      error: { type: "auth" },
    });
    await expect(unauthorized.balance()).rejects.toThrow(ReadError);
    await expect(unauthorized.license("platform", elid)).rejects.toMatchObject({ refused: { type: "auth" } });
  });
});
