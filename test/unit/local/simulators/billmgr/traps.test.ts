import { beforeEach, describe, expect, test } from "vitest";
import {
  createSandbox,
  type FaultPlan,
  type Sandbox,
  type Settings,
} from "../../../../../local/simulators/billmgr/index.ts";
import { type Billmgr, createBillmgr } from "../../../../../shared/billmgr/billmgr.ts";
import { pageOf } from "../../../../../shared/billmgr/license.ts";
import { type Element, type Reply, readReply } from "../../../../../shared/billmgr/reply.ts";
import { requestOf } from "../../../../../shared/billmgr/requests.ts";
import type { Post } from "../../../../../shared/billmgr/transport.ts";
import type { Change } from "../../../../../shared/licensing/operation.ts";
import { orderOf } from "../../../../support/events.ts";
import { authinfoWith } from "../../../../support/secrets.ts";

const authinfo = authinfoWith();
const minute = 60_000;

let time: number;
let later: { ms: number; act: () => void }[];
let sandbox: Sandbox;
let post: Post;
let billmgr: Billmgr;

beforeEach(() => {
  time = Date.parse("2027-01-31T10:00:00Z");
  later = [];
  sandbox = createSandbox({ now: () => new Date(time), authinfo: () => authinfo, settings: { processingSeconds: 0 } });
  post = sandbox.post((ms, act) => later.push({ ms, act }));
  billmgr = createBillmgr(post, async () => authinfo);
});

const elid = "334673";
const on = { slot: 1, elid, family: "platform" };
const order = orderOf({ plan: "vm6", addons: { 55165: 2 } });
const prolong: Change = { ...on, kind: "prolong", plan: "vm6", period: 1, expiry: "2027-03-28" };
const edit: Change = { ...on, kind: "edit", plan: "vm6", addons: { 55165: 5 } };
const suspend: Change = { ...on, kind: "suspend" };
const resume: Change = { ...on, kind: "resume" };
const remove: Change = { ...on, kind: "delete" };

const call = (change: Change, reference = "bw-1") => billmgr.call(change.kind, requestOf(change, reference));
const read = () => billmgr.license("platform", elid);
const ledger = () => sandbox.ledger().map(({ operation }) => operation);

/** The reply of billmgr, without the client's interpretation. */
async function request(params: Record<string, string>): Promise<Reply> {
  const sent = await post(new URLSearchParams({ authinfo, out: "xml", ...params }), minute);
  if (sent.kind !== "response") throw new Error(`${sent.kind}: ${sent.why}`);
  return readReply(sent.status, sent.body);
}

async function documentOf(params: Record<string, string>): Promise<Element> {
  const reply = await request(params);
  if (reply.kind !== "document") throw new Error(JSON.stringify(reply));
  return reply.doc;
}

/** The rows of a list, page by page. */
async function list() {
  const { rows, total = 0 } = pageOf(await documentOf({ func: "platform" }));
  for (let page = 2; rows.length < total; page++)
    rows.push(...pageOf(await documentOf({ func: "platform", p_num: String(page) })).rows);
  return rows;
}
const ids = async () => (await list()).map((row) => row.elid);

const orderForm = { sok: "ok", clicked_button: "finish", skipbasket: "on", pricelist: "55163", period: "1" };
const calls: [func: string, params: Record<string, string>][] = [
  ["platform.order.param", orderForm],
  ["service.prolong", { elid, period: "1", sok: "ok" }],
  ["platform.edit", { elid, addon_55165: "5", sok: "ok" }],
  ["platform.suspend", { elid }],
  ["platform.resume", { elid }],
  ["platform.delete", { elid }],
];

describe("an error on a function", () => {
  const types = ["auth", "access", "missed", "value", "exists", "client", "xml", "limit", "pricelist_min_order"];

  test.each(calls.flatMap(([func, params]) => types.map((type) => [type, func, params] as const)))(
    "%s on %s, before or after the action",
    async (type, func, params) => {
      await call(order);
      if (func === "platform.resume") await call(suspend);
      const before = sandbox.ledger().length;
      for (const act of [false, true]) {
        sandbox.plan({ fault: "error", type, func, act });
        expect(await request({ func, ...params })).toMatchObject({ kind: "error", type });
        expect(sandbox.ledger()).toHaveLength(before + (act ? 1 : 0));
      }
    },
  );
});

describe("the reply to an order", () => {
  test("may contain the order's number instead of the license's id", async () => {
    sandbox.plan({ fault: "reply_order_number" });
    expect(await call(order)).toMatchObject({ outcome: "done", elid: "9001" });
    expect(await billmgr.license("platform", "9001")).toBeUndefined();
    expect(await ids()).toEqual([elid]);
    sandbox.configure({ orderReply: "order_number" });
    expect(await call(order)).toMatchObject({ elid: "9002" });
  });

  test("may precede the payment: the license stays at status 1", async () => {
    sandbox.plan({ fault: "unpaid" });
    expect(await call(order)).toMatchObject({ outcome: "done", elid });
    time += 60 * minute;
    expect(await read()).toMatchObject({ status: "ordered" });
    expect(sandbox.ledger()).toMatchObject([{ operation: "order", unpaid: true, cost: 0 }]);
  });

  test.each([orderForm, { ...orderForm, period: "-100" }])("may be the cart, even for a trial", async (form) => {
    sandbox.plan({ fault: "basket", func: "order" });
    expect(await documentOf({ func: "platform.order.param", ...form })).toHaveProperty("billorder");
    expect(await ids()).toEqual([]);
  });

  test("may lead to the cart's list, with nothing bought", async () => {
    sandbox.plan({ fault: "cart_list" });
    expect(await documentOf({ func: "platform.order.param", ...orderForm })).toMatchObject({
      "lineitem.id": [{}],
      ok: [{ $type: "list", "#text": "func=cart" }],
    });
    expect(await ids()).toEqual([]);
  });

  test("may name the order that is to be paid next to a license at status 1", async () => {
    sandbox.plan({ fault: "unpaid_id" });
    const reply = await documentOf({ func: "platform.order.param", ...orderForm });
    expect(reply).toMatchObject({ id: [{ "#text": elid }], "billorder.id": [{}] });
    expect(sandbox.ledger()).toMatchObject([{ operation: "order", unpaid: true, cost: 0 }]);
  });

  test("may name another customer's license", async () => {
    await call(order);
    sandbox.plan({ fault: "reply_foreign_id" });
    const other = { ...orderForm, comment: "another", remoteid: "another" };
    expect(await documentOf({ func: "platform.order.param", ...other })).toMatchObject({ id: [{ "#text": elid }] });
    expect(sandbox.ledger()).toHaveLength(2);
  });

  test.each([
    ["attribute", { item_status: [{ $orig: "2" }] }],
    ["text", { item_status: [{ "#text": "2" }] }],
    ["real", { item_real_status: [{ "#text": "2" }] }],
  ] as const)("the status may be shown as %s only", async (statusForm, shown) => {
    await call(order);
    time += minute;
    sandbox.configure({ statusForm });
    const form = await documentOf({ func: "platform.edit", elid });
    expect(form).toMatchObject(shown);
    expect(form).not.toHaveProperty("status");
  });

  test("a license that was stopped at its expiry may stay stopped after a prolong, until it is resumed", async () => {
    await call(order);
    time += 40 * 24 * 60 * minute;
    sandbox.configure({ prolongStarts: false, suspendsStopped: false });
    const [before] = sandbox.licenses();
    expect(before).toMatchObject({ status: 3, substatus: "3_autosuspend" });
    expect(await request({ func: "platform.suspend", elid })).toMatchObject({ kind: "error", type: "value" });
    await documentOf({ func: "service.prolong", elid, period: "1", sok: "ok" });
    time += minute;
    expect(sandbox.licenses()).toMatchObject([{ status: 3 }]);
    await documentOf({ func: "platform.resume", elid });
    expect(sandbox.licenses()).toMatchObject([{ status: 2 }]);
  });

  test("precedes the key, which exists after the processing", async () => {
    sandbox.configure({ processingSeconds: 60 });
    await call(order);
    const key = async () => (await documentOf({ func: "platform.edit", elid })).lickey;
    expect(await key()).toEqual([{ "#text": "" }]);
    time += minute;
    expect(await key()).toEqual([{ "#text": expect.stringMatching(/^334673-/) }]);
  });
});

describe("other replies", () => {
  test("a prolong may wait in the cart", async () => {
    await call(order);
    sandbox.plan({ fault: "basket", func: "prolong" });
    expect(await call(prolong)).toMatchObject({ outcome: "unknown", inCart: true });
    expect(await read()).toMatchObject({ expiry: "2027-02-28" });
  });

  test("an ok may lead to a second factor without any action", async () => {
    await call(order);
    sandbox.plan({ fault: "second_factor", func: "suspend" });
    expect(await documentOf({ func: "platform.suspend", elid })).toMatchObject({
      ok: [{ $type: "form", "#text": "func=totp.confirm" }],
    });
    expect(await read()).toMatchObject({ status: "active" });
  });

  test("a long request may be executed after its page was returned", async () => {
    sandbox.plan({ fault: "long_request", seconds: 40 });
    expect(await call(order)).toMatchObject({ outcome: "unknown" });
    expect(sandbox.licenses()).toEqual([]);
    expect(later).toMatchObject([{ ms: 40_000 }]);
    later[0]?.act();
    expect(sandbox.licenses()).toMatchObject([{ id: elid }]);
  });
});

describe("status 5", () => {
  test.each<[Change, Change[], string]>([
    [order, [], "active"],
    [prolong, [order], "active"],
    [edit, [order], "active"],
    [suspend, [order], "stopped"],
    [resume, [order, suspend], "active"],
    [remove, [order], "deleted"],
  ])("lasts for hours after $kind", async ({ kind }, before, after) => {
    for (const change of before) await call(change);
    const change = [order, prolong, edit, suspend, resume, remove].find((one) => one.kind === kind) ?? order;
    sandbox.plan({ fault: "stays_processing", func: kind, seconds: 3 * 3600 });
    await call(change);
    time += 179 * minute;
    expect(await read()).toMatchObject({ status: "processing" });
    time += minute;
    expect(await read()).toMatchObject({ status: after });
  });

  test("a license that is being deleted is not deleted again", async () => {
    sandbox.configure({ changeProcessing: true, processingSeconds: 60 });
    await call(order);
    time += minute;
    await call(remove);
    await call(remove);
    time += minute;
    expect(ledger()).toEqual(["order", "delete"]);
    expect(await read()).toMatchObject({ status: "deleted" });
  });

  test("lasts while the setting stuckProcessing is on", async () => {
    sandbox.configure({ stuckProcessing: true });
    await call(order);
    time += 1000 * minute;
    expect(await read()).toMatchObject({ status: "processing" });
  });
});

describe("a function that is missing or denied", () => {
  test.each<[Partial<Settings>, Record<string, string>, string]>([
    [{ missing: ["platform"] }, { func: "platform" }, "missed"],
    [{ missing: ["list"] }, { func: "soft" }, "missed"],
    [{ denied: ["suspend"] }, { func: "platform.suspend", elid }, "access"],
    [{ denied: ["resume"] }, { func: "platform.resume", elid }, "access"],
    [{ denied: ["balance"] }, { func: "whoami" }, "access"],
    [{ minimumTermDays: 30 }, { func: "platform.delete", elid }, "pricelist_min_order"],
  ])("%o", async (settings, params, type) => {
    await call(order);
    sandbox.configure(settings);
    expect(await request(params)).toMatchObject({ kind: "error", type });
    expect(await read()).toMatchObject({ status: "active" });
    expect(ledger()).toEqual(["order"]);
  });

  test("can be limited to one call by a fault", async () => {
    await call(order);
    sandbox.plan({ fault: "as_if", func: "delete", settings: { minimumTermDays: 30 } });
    expect(await call(remove)).toMatchObject({ response: expect.stringContaining("pricelist_min_order") });
    expect(await call(remove)).toMatchObject({ outcome: "done" });
  });
});

describe("a hidden field", () => {
  test.each([
    ["status", "status"],
    ["expiry", "expiry"],
    ["remoteid", "remoteid"],
    ["comment", "comment"],
  ] as const)("%s in the form", async (what, field) => {
    await call(order);
    expect(await read()).toHaveProperty(field);
    sandbox.configure({ formHides: [what] });
    const seen = await read();
    expect(seen).not.toHaveProperty(field);
    expect(seen).toMatchObject({ elid, addons: { 55165: 2 } });
  });

  test("addons in the form", async () => {
    await call(order);
    sandbox.configure({ formHides: ["addons"] });
    expect(await read()).toMatchObject({ status: "active", addons: {} });
  });

  test("references in the list, for one read", async () => {
    await call(order);
    sandbox.plan({ fault: "as_if", func: "list", settings: { listShowsRemoteid: false, listShowsComment: false } });
    const rows = await list();
    expect(rows).toMatchObject([{ elid, status: "active" }]);
    expect(rows[0]).not.toHaveProperty("comment");
    expect(await list()).toMatchObject([{ remoteid: "bw-1", comment: "bw-1" }]);
  });
});

describe("the filter of a list", () => {
  const reset = { func: "platform.filter", sok: "ok", status: "", pricelist: "" };
  const listed = async () => ((await documentOf({ func: "platform" })).elem ?? []).length;

  beforeEach(async () => {
    await call(order);
    await documentOf({ func: "platform.filter", sok: "ok", status: "3" });
  });

  test("stays set, and its form without sok shows it", async () => {
    expect(await listed()).toBe(0);
    expect(await documentOf({ func: "platform.filter" })).toMatchObject({ status: [{ "#text": "3" }] });
    await documentOf(reset);
    expect(await listed()).toBe(1);
  });

  test("may be only shown with out=xml, and applied without", async () => {
    sandbox.configure({ filterSubmit: "without_out" });
    expect(await documentOf(reset)).toHaveProperty("metadata");
    expect(await listed()).toBe(0);
    const { out: _, ...withoutOut } = { out: "", authinfo, ...reset };
    expect(await post(new URLSearchParams(withoutOut), minute)).toMatchObject({ kind: "response", body: /login/ });
    expect(await listed()).toBe(1);
  });

  test.each([
    ["ignored", { kind: "document" }],
    ["refused", { kind: "error", type: "access" }],
  ] as const)("may be unusable: %s", async (filterSubmit, reply) => {
    sandbox.configure({ filterSubmit });
    expect(await request(reset)).toMatchObject(reply);
    expect(await listed()).toBe(0);
    expect(await documentOf({ func: "platform.filter" })).toMatchObject({ status: [{ "#text": "3" }] });
  });

  test("may be set by someone else just before a read", async () => {
    await documentOf(reset);
    expect(await ids()).toEqual([elid]);
    sandbox.plan({ fault: "filter_set", filter: { pricelist: "55161" } });
    expect(await ids()).toEqual([]);
    expect(await ids()).toEqual([]);
  });
});

describe("the rows of a list", () => {
  test.each<[FaultPlan | Partial<Settings>]>([[{ fault: "deleted_twin" }], [{ deletedTwins: true }]])(
    "may include a deleted twin with the same reference: %o",
    async (how) => {
      if ("fault" in how) sandbox.plan(how);
      else sandbox.configure(how);
      expect(await call(order)).toMatchObject({ elid: "334674" });
      expect(await list()).toMatchObject([
        { elid: "334673", status: "deleted", comment: "bw-1", remoteid: "bw-1" },
        { elid: "334674", status: "active", comment: "bw-1", remoteid: "bw-1" },
      ]);
      expect(ledger()).toEqual(["order"]);
    },
  );

  test("come in smaller pages than requested", async () => {
    sandbox.configure({ largestPage: 2 });
    for (let n = 1; n <= 5; n++) await call(order, `bw-${n}`);
    expect(await documentOf({ func: "platform", p_cnt: "250", p_num: "2" })).toMatchObject({
      elem: { length: 2 },
      p_cnt: [{ "#text": "2" }],
      p_elems: [{ "#text": "5" }],
    });
    expect(await ids()).toHaveLength(5);
  });

  test("may shift between pages: the total stays, and one row is never returned", async () => {
    sandbox.configure({ largestPage: 2 });
    for (let n = 1; n <= 5; n++) await call(order, `bw-${n}`);
    sandbox.plan({ fault: "list_shifts" });
    const rows = await list();
    expect(rows.map((row) => row.elid)).toEqual(["334673", "334674", "334676", "334677", "900000001"]);
    expect(rows.at(-1)).toMatchObject({ comment: "" });
    expect(await ids()).toEqual(["334673", "334674", "334675", "334676", "334677"]);
  });
});
