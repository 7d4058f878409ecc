import { XMLParser } from "fast-xml-parser";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Sandbox, SandboxOptions, SandboxState } from "../../../../../local/simulators/billmgr/index.ts";
import { serveSandbox } from "../../../../../local/simulators/billmgr/serve.ts";
import { authinfoWith, canary } from "../../../../support/secrets.ts";
import { knowingly } from "../../../../support/watch.ts";

const AUTHINFO = authinfoWith(":word");
const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "@", parseTagValue: false });

let time: Date;
let changes: number;
let sandbox: Sandbox;
let url: string;
let origin: string;
let close: () => Promise<void>;

beforeEach(async () => {
  time = new Date("2027-01-31T10:00:00Z");
  await start();
});
afterEach(() => close());

async function start(options: Partial<SandboxOptions> = {}) {
  changes = 0;
  const onChange = () => changes++;
  ({ sandbox, url, origin, close } = await serveSandbox({
    now: () => time,
    authinfo: () => AUTHINFO,
    onChange,
    ...options,
  }));
}

function pass(duration: { seconds?: number; days?: number }) {
  time = new Date(time.getTime() + ((duration.seconds ?? 0) + (duration.days ?? 0) * 86_400) * 1000);
}

async function post(params: Record<string, string>): Promise<string> {
  const body = new URLSearchParams({ authinfo: AUTHINFO, out: "xml", ...params });
  const response = await fetch(url, { method: "POST", body });
  expect(response.status).toBe(200);
  return response.text();
}

// biome-ignore lint/suspicious/noExplicitAny: billmgr defines the shape of a parsed document
async function call(params: Record<string, string>): Promise<any> {
  return parser.parse(await post(params)).doc;
}

function order(params: Record<string, string> = {}) {
  const defaults = { pricelist: "55163", period: "1", addon_55165: "2", autoprolong: "null", skipbasket: "on" };
  return call({ func: "platform.order.param", clicked_button: "finish", sok: "ok", ...defaults, ...params });
}

async function ordered(params: Record<string, string> = {}): Promise<string> {
  const { id } = await order(params);
  pass({ seconds: 2 });
  return id;
}

const read = (elid: string) => call({ func: "platform.edit", elid });
const list = (params: Record<string, string> = {}) => call({ func: "platform", ...params });

// biome-ignore lint/suspicious/noExplicitAny: as above
const rows = (doc: any): any[] => [doc.elem ?? []].flat();

describe("the protocol", () => {
  test("a document has presentation attributes and echoes the request without the password", async () => {
    const text = await post({ func: "whoami", note: `<&>"' \u0001` });
    expect(text).not.toContain(canary);
    const { doc } = parser.parse(text);
    expect(doc).toMatchObject({ "@func": "whoami", "@binary": "/billmgr", tparams: { out: "xml", func: "whoami" } });
    expect(doc.tparams.note).toBe(`<&>"' \uFFFD`);
    expect(doc.user).toMatchObject({ "@balance": "100000.00", "@currency": "EUR" });
  });

  test("errors are documents with status 200", async () => {
    expect((await call({ func: "whoami", authinfo: authinfoWith("-of-old") })).error).toMatchObject({
      "@type": "auth",
      "@object": "badpassword",
    });
    expect((await call({})).error["@type"]).toBe("missed");
    expect((await call({ func: "vds" })).error).toMatchObject({ "@type": "missed", "@object": "func" });
    expect((await read("1")).error).toMatchObject({
      "@type": "missed",
      stack: { action: { "#text": "platform.edit" } },
    });
  });

  test("GET works, also at /billmgr, and the calls record a password in the URL", async () => {
    knowingly("a URL");
    const query = new URLSearchParams({ authinfo: AUTHINFO, out: "xml", func: "subaccount" });
    const response = await fetch(`${origin}/billmgr?${query}`);
    expect(parser.parse(await response.text()).doc.elem).toMatchObject({ balance: "100000.00", currency: "EUR" });
    const calls = await (await fetch(`${origin}/sandbox/calls`)).json();
    expect(calls).toMatchObject([{ n: 1, operation: "balance", answer: "ok", authinfoInUrl: true }]);
    expect(JSON.stringify(calls)).not.toContain(canary);
  });

  test("without out=xml the answer is a login page, and nothing is done", async () => {
    const order = { func: "platform.order.param", clicked_button: "finish", sok: "ok", skipbasket: "on" };
    expect(await post({ ...order, pricelist: "55163", period: "1", out: "" })).toContain("<!DOCTYPE html>");
    expect(sandbox.licenses()).toEqual([]);
  });

  test("a body over 1 MiB is refused, and so are unknown paths and methods", async () => {
    expect((await fetch(url, { method: "POST", body: "a".repeat(1024 * 1024 + 1) })).status).toBe(413);
    expect((await fetch(`${origin}/health`)).status).toBe(404);
    expect((await fetch(`${origin}/sandbox/ledgre`)).status).toBe(404);
    expect((await fetch(`${origin}/sandbox/ledger`, { method: "POST" })).status).toBe(405);
  });
});

describe("order", () => {
  test("charges, returns the id, and is processed for a while", async () => {
    const { id, ok } = await order({ remoteid: "ref-1", comment: "a <b> & c" });
    expect({ id, ok }).toEqual({ id: "334673", ok: "" });
    expect(sandbox.snapshot().calls).toMatchObject([{ operation: "order", remoteid: "ref-1", answer: "ok" }]);
    expect(await read(id)).toMatchObject({ status: "5", item_status: { "@orig": "5_open" }, lickey: "" });
    pass({ seconds: 1 });
    const license = await read(id);
    expect(license).toMatchObject({ status: "2", item_status: { "@orig": "2" }, pricelist: "55163" });
    expect(license).toMatchObject({ remoteid: "ref-1", comment: "a <b> & c", expiredate: "2027-02-28" });
    expect(license).toMatchObject({ addon_55165: "2", addon_55165_current_value: "2", addon_55164: "0" });
    expect(license.lickey).toMatch(/^334673-/);
    expect(sandbox.ledger()).toMatchObject([
      {
        n: 1,
        at: "2027-01-31T10:00:00.000Z",
        operation: "order",
        func: "platform.order.param",
        elid: "334673",
        pricelist: 55163,
        period: 1,
        addons: { 55165: 2 },
        remoteid: "ref-1",
        comment: "a <b> & c",
        expiry: "2027-02-28",
        cost: 27,
        balance: 99_973,
      },
    ]);
    expect(sandbox.ledger()[0]?.params).not.toHaveProperty("authinfo");
  });

  test("requires clicked_button=finish and sok=ok; without either it returns a form", async () => {
    for (const missing of [{ sok: "" }, { clicked_button: "" }])
      expect(await order(missing)).toMatchObject({ pricelist: "55163", metadata: { "@type": "form" } });
    expect(sandbox.ledger()).toEqual([]);
  });

  test("waits in the cart without skipbasket", async () => {
    const reply = await order({ skipbasket: "" });
    expect(reply).toMatchObject({
      billorder: "9001",
      payment_id: "9001",
      ok: { "@type": "url", "#text": "func=order" },
    });
    expect(reply.id).toBeUndefined();
    expect(sandbox.licenses()).toEqual([]);
  });

  test.each([
    [{ pricelist: "1" }, "pricelist"],
    [{ pricelist: "55227" }, "pricelist"],
    [{ period: "7" }, "period"],
    [{ period: "" }, "period"],
    [{ addon_55165: "-1" }, "addon_55165"],
    [{ addon_55165: "1.5" }, "addon_55165"],
    [{ addon_1: "1" }, "addon_1"],
    [{ autoprolong: "x" }, "autoprolong"],
  ])("refuses %o", async (params, object) => {
    expect((await order(params)).error).toMatchObject({ "@type": "value", "@object": object });
    expect(sandbox.ledger()).toEqual([]);
  });

  test("uses the functions of soft for ispmanager", async () => {
    const order = { func: "soft.order.param", clicked_button: "finish", sok: "ok", skipbasket: "on" };
    const { id } = await call({ ...order, pricelist: "55230", period: "3", addon_55236: "3" });
    expect(await call({ func: "soft.edit", elid: id })).toMatchObject({ pricelist: "55230", addon_55236: "3" });
    expect(rows(await list())).toEqual([]);
    expect((await read(id)).error["@type"]).toBe("missed");
  });

  test.each([
    ["id", { id: "334673" }],
    ["item.id", { "item.id": "334673" }],
    ["none", {}],
  ] as const)("replies in the shape %s", async (orderReply, shape) => {
    sandbox.configure({ orderReply });
    const { id, "item.id": itemId } = await order();
    expect(JSON.parse(JSON.stringify({ id, "item.id": itemId }))).toEqual(shape);
    expect(sandbox.licenses()).toHaveLength(1);
  });

  test("replies to insufficient funds as the settings define", async () => {
    sandbox.configure({ balance: 1 });
    expect((await order()).error).toMatchObject({ "@type": "money", "@object": "balance" });
    sandbox.configure({ fundsReply: "basket" });
    expect(await order()).toHaveProperty("billorder");
    expect(sandbox.licenses()).toEqual([]);
    sandbox.configure({ fundsReply: "unpaid" });
    expect(await read((await order()).id)).toMatchObject({ status: "1", item_status: { "@orig": "1" } });
    expect(sandbox.ledger()).toMatchObject([{ operation: "order", unpaid: true, cost: 0, balance: 1 }]);
  });

  test("for a trial is free, lasts 14 days, and cannot be prolonged", async () => {
    const id = await ordered({ period: "-100" });
    expect(sandbox.ledger()).toMatchObject([{ cost: 0, expiry: "2027-02-14" }]);
    const { error } = await call({ func: "service.prolong", elid: id, period: "1", sok: "ok" });
    expect(error).toMatchObject({ "@type": "value", "@object": "period", msg: "Trial licenses cannot be renewed" });
  });
});

describe("prolong", () => {
  test("quotes without sok, and adds a period at each call with sok", async () => {
    const id = await ordered();
    const quote = await call({ func: "service.prolong", elid: id, period: "12" });
    expect(quote).toMatchObject({ expiredate: "2027-02-28", newexpiredate: "2028-02-28", cost: "324.00" });
    expect(sandbox.ledger()).toHaveLength(1);

    const reply = await call({ func: "service.prolong", elid: id, period: "1", sok: "ok" });
    expect(reply.doc.newexpiredate).toBe("2027-03-28");
    expect(await read(id)).toMatchObject({ status: "5", item_status: { "@orig": "5_prolong" } });
    await call({ func: "service.prolong", elid: id, period: "1", sok: "ok" });
    expect(sandbox.ledger().slice(1)).toMatchObject([
      { operation: "prolong", period: 1, expiryBefore: "2027-02-28", expiry: "2027-03-28", cost: 27 },
      { operation: "prolong", period: 1, expiryBefore: "2027-03-28", expiry: "2027-04-28", balance: 99_919 },
    ]);
  });

  test("refuses invalid requests and insufficient funds", async () => {
    const id = await ordered();
    const prolong = (params: Record<string, string>) => call({ func: "service.prolong", sok: "ok", ...params });
    expect((await prolong({ period: "1" })).error).toMatchObject({ "@type": "missed", "@object": "elid" });
    expect((await prolong({ elid: id })).error).toMatchObject({ "@type": "value", "@object": "period" });
    sandbox.configure({ balance: 0 });
    expect((await prolong({ elid: id, period: "1" })).error["@type"]).toBe("money");
    sandbox.configure({ fundsReply: "basket" });
    expect(await prolong({ elid: id, period: "1" })).toHaveProperty("billorder");
    expect(sandbox.ledger()).toHaveLength(1);
  });

  test("reactivates an expired license, but not one that was suspended by request", async () => {
    const [expired, suspended] = [await ordered(), await ordered()];
    await call({ func: "platform.suspend", elid: suspended });
    time = new Date("2027-02-28T00:00:00Z");
    expect(await read(expired)).toMatchObject({ status: "3", item_status: { "@orig": "3_autosuspend" } });
    expect((await call({ func: "platform.resume", elid: expired })).error["@object"]).toBe("expiredate");
    for (const elid of [expired, suspended]) await call({ func: "service.prolong", elid, period: "1", sok: "ok" });
    pass({ seconds: 2 });
    expect((await read(expired)).status).toBe("2");
    expect((await read(suspended)).status).toBe("3");
  });

  test("happens automatically with autoprolong, while the balance is sufficient", async () => {
    await ordered({ autoprolong: "1" });
    sandbox.configure({ balance: 60 });
    pass({ days: 365 });
    expect(sandbox.ledger().slice(1)).toMatchObject([
      { operation: "prolong", by: "autoprolong", expiry: "2027-03-28", balance: 33 },
      { operation: "prolong", by: "autoprolong", expiry: "2027-04-28", balance: 6 },
    ]);
    pass({ seconds: 2 });
    expect(sandbox.licenses()).toMatchObject([{ substatus: "3_autosuspend" }]);
  });
});

describe("edit", () => {
  test("sets comment and addons without charging", async () => {
    const id = await ordered({ comment: "old" });
    await call({ func: "platform.edit", elid: id, addon_55165: "5", addon_55165_current_value: "2", sok: "ok" });
    await call({ func: "platform.edit", elid: id, comment: "new", sok: "ok" });
    expect(await read(id)).toMatchObject({ comment: "new", addon_55165: "5", status: "2" });
    expect(sandbox.ledger().slice(1)).toMatchObject([
      { operation: "edit", addons: { 55165: 5 }, addonsBefore: { 55165: 2 }, comment: "old", cost: 0 },
      { operation: "edit", comment: "new", commentBefore: "old" },
    ]);
  });

  test("refuses unknown addons, and may be processed for a while", async () => {
    const id = await ordered();
    const { error } = await call({ func: "platform.edit", elid: id, addon_55236: "1", sok: "ok" });
    expect(error).toMatchObject({ "@type": "value", "@object": "addon_55236" });
    sandbox.configure({ changeProcessing: true });
    await call({ func: "platform.edit", elid: id, addon_55165: "1", sok: "ok" });
    expect((await read(id)).status).toBe("5");
    pass({ seconds: 2 });
    expect((await read(id)).status).toBe("2");
  });

  test("accepts a no-op without a ledger entry", async () => {
    const id = await ordered();
    expect(await call({ func: "platform.edit", elid: id, addon_55165: "2", sok: "ok" })).toHaveProperty("ok");
    expect(sandbox.ledger()).toHaveLength(1);
    expect(sandbox.snapshot().calls.at(-1)).toMatchObject({ operation: "edit", answer: "ok", noop: true });
  });
});

describe("suspend, resume, delete", () => {
  test("accept several licenses and record only actual changes", async () => {
    const [a, b] = [await ordered(), await ordered()];
    for (const func of ["platform.suspend", "platform.suspend", "platform.resume", "platform.delete"])
      expect(await call({ func, elid: `${a}, ${b}` })).toHaveProperty("ok");
    expect(sandbox.ledger().slice(2)).toMatchObject([
      { operation: "suspend", elid: a, status: 3, statusBefore: 2 },
      { operation: "suspend", elid: b },
      { operation: "resume", elid: a, status: 2 },
      { operation: "resume", elid: b },
      { operation: "delete", elid: a, status: 4 },
      { operation: "delete", elid: b },
    ]);
  });

  test("do not delete a license before its minimum term", async () => {
    sandbox.configure({ minimumTermDays: 10 });
    const id = await ordered();
    pass({ days: 9 });
    expect((await call({ func: "platform.delete", elid: id })).error["@type"]).toBe("pricelist_min_order");
    pass({ days: 1 });
    expect(await call({ func: "platform.delete", elid: id })).toHaveProperty("ok");
    expect(rows(await list())).toMatchObject([{ status: "4", item_status: { "@orig": "4" } }]);
    sandbox.configure({ deletedLinger: false });
    expect(rows(await list())).toEqual([]);
    expect((await read(id)).error["@type"]).toBe("missed");
  });

  test("take effect after the processing", async () => {
    sandbox.configure({ stuckProcessing: true });
    const id = await ordered();
    await call({ func: "platform.suspend", elid: id });
    expect(await read(id)).toMatchObject({ status: "5", item_status: { "@orig": "5_suspend" } });
    sandbox.configure({ stuckProcessing: false });
    expect(await read(id)).toMatchObject({ status: "3", item_status: { "@orig": "3_employeesuspend" } });
  });
});

describe("lists", () => {
  test("have rows that are made for people", async () => {
    await ordered({ remoteid: "ref", comment: "note", autoprolong: "12" });
    const [row] = rows(await list());
    expect(row).toMatchObject({
      id: "334673",
      pricelist: "VMmanager 6",
      cost: "27.00 EUR / Month",
      autoprolong: "Year",
      createdate: ["2027-01-31", "2027-01-31"],
      real_expiredate: "2027-02-28",
      item_status: { "#text": "Active", "@orig": "2" },
      remoteid: "ref",
      comment: "note",
    });
    await ordered({ period: "-100" });
    expect(rows(await list())[1]).toMatchObject({ expiredate: "Trial period", real_expiredate: "2027-02-14" });
    sandbox.configure({ listShowsRemoteid: false, listShowsComment: false });
    const [bare] = rows(await list());
    expect(bare).not.toHaveProperty("remoteid");
    expect(bare).not.toHaveProperty("comment");
  });

  test("have pages of 50 rows by default", async () => {
    for (let i = 0; i < 52; i++) await order();
    const first = await list();
    expect(first).toMatchObject({ p_elems: "52", p_cnt: "50", p_num: "1" });
    expect(rows(first)).toHaveLength(50);
    expect(rows(await list({ p_num: "2" }))).toHaveLength(2);
    const last = await list({ p_cnt: "20", p_num: "3", p_col: "-time" });
    expect(rows(last).map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, i) => String(334673 + 11 - i)));
    expect(await list({ p_num: "9" })).not.toHaveProperty("elem");
  });

  test("stay filtered until the filter is reset", async () => {
    const vmmanager = await ordered();
    const dcimanager = await call({
      func: "platform.order.param",
      clicked_button: "finish",
      sok: "ok",
      skipbasket: "on",
      pricelist: "55161",
      period: "12",
    });
    const ids = async () => rows(await list()).map(({ id }) => id);
    await call({ func: "platform.filter", pricelist: "55161" });
    expect(await ids()).toHaveLength(2);
    await call({ func: "platform.filter", pricelist: "55161", sok: "ok" });
    expect(await ids()).toEqual([dcimanager.id]);
    expect(await list()).toMatchObject({ p_elems: "1" });
    expect((await call({ func: "platform.filter" })).pricelist).toBe("55161");
    await call({ func: "platform.filter", id: vmmanager, sok: "ok" });
    expect(await ids()).toEqual([]);
    await call({ func: "platform.filter", pricelist: "", status: "2", sok: "ok" });
    expect(await ids()).toEqual([vmmanager]);
    await call({ func: "platform.filter", id: "", status: "", sok: "ok" });
    expect(await ids()).toHaveLength(2);
  });

  test("of balances can be denied", async () => {
    sandbox.configure({ denied: ["balance"] });
    const { error } = await call({ func: "subaccount" });
    expect(error).toMatchObject({ "@type": "access", "@object": "subaccount" });
  });
});

describe("state", () => {
  test("survives as plain JSON", async () => {
    const id = await ordered({ comment: "kept" });
    sandbox.configure({ balance: 500 });
    sandbox.plan({ fault: "hang", func: "order" });
    await call({ func: "platform.filter", id, sok: "ok" });
    const saved: SandboxState = JSON.parse(JSON.stringify(sandbox.snapshot()));
    const [ledger, licenses] = [sandbox.ledger(), sandbox.licenses()];
    await close();

    await start({ state: saved, settings: { balance: 1 } });
    expect(sandbox.snapshot()).toEqual(saved);
    expect(sandbox.ledger()).toEqual(ledger);
    expect(sandbox.licenses()).toEqual(licenses);
    expect(rows(await list())).toMatchObject([{ id, comment: "kept" }]);
  });

  test("calls onChange after changes, also by time, but not after reads", async () => {
    await order();
    expect(changes).toBe(1);
    await list();
    expect(changes).toBe(1);
    pass({ seconds: 2 });
    await list();
    expect(changes).toBe(2);
    const ids = `334673, ${await ordered({ period: "-100" })}`;
    pass({ days: 14 });
    await list();
    changes = 0;
    expect(await call({ func: "platform.resume", elid: ids })).toHaveProperty("error");
    await call({ func: "platform.suspend", elid: "334673" });
    expect(await call({ func: "platform.resume", elid: ids })).toHaveProperty("error");
    expect(sandbox.ledger().at(-1)).toMatchObject({ operation: "resume", elid: "334673" });
    expect(changes).toBe(3);
  });

  test("merges settings and explains invalid ones", async () => {
    const post = (body: string) => fetch(`${origin}/sandbox/settings`, { method: "POST", body });
    expect(await (await post('{"balance": 7}')).json()).toMatchObject({ balance: 7, currency: "EUR" });
    expect(await (await fetch(`${origin}/sandbox/settings`)).json()).toMatchObject({ balance: 7 });
    for (const [body, explanation] of [
      ['{"balanse": 7}', 'did you mean "balance"?'],
      ['{"balance": "7"}', 'balance is "7"; expected a number'],
      ['{"orderReply": "ids"}', 'expected "id" or "item.id" or "order_number" or "foreign_id" or "none"'],
      ["[]", "settings: the value is an array; expected an object"],
      ["{", "not valid JSON"],
    ] as const) {
      const response = await post(body);
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: expect.stringContaining(explanation) });
    }
  });
});
