import { createServer, type Socket } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { FaultPlan } from "../../infra/local/sandbox/index.ts";
import { serveSandbox } from "../../infra/local/sandbox/serve.ts";
import { type Billmgr, createBillmgr, ReadError } from "../../shared/billmgr/billmgr.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { largestAnswer, postTo } from "../../shared/billmgr/transport.ts";
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

describe("the client before the sandbox", () => {
  test("does the six operations, and what it asked for is what billmgr did", async () => {
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

  test("reads a list of several pages whole, though a filter was left in the account", async () => {
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

  test("other families have functions of their own", async () => {
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

  test("a wrong password is refused, and a reading says so", async () => {
    const stranger = createBillmgr(postTo(served.url), async () => authinfoWith("-of-old"));
    expect(await stranger.call("order", requestOf(order, "bw-1"))).toMatchObject({
      outcome: "refused",
      error: { type: "auth" },
    });
    await expect(stranger.balance()).rejects.toThrow(ReadError);
    await expect(stranger.license("platform", elid)).rejects.toMatchObject({ refused: { type: "auth" } });
  });
});

describe("what is known of a request that was not answered", () => {
  let accept: (socket: Socket) => void = () => {};
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    accept(socket);
  });
  let address: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as { port: number }).port}/billmgr`;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const form = new URLSearchParams({ func: "x" });

  test.each([
    ["nobody listens", "http://127.0.0.1:1025/billmgr"],
    ["there is no such host", "http://nowhere.invalid/billmgr"],
  ])("%s: no byte left", async (_, to) => {
    expect(await postTo(to)(form, 5000)).toMatchObject({ came: "not_sent" });
  });

  test.each<[string, (socket: Socket) => void]>([
    ["the connection is closed at once", (socket) => socket.destroy()],
    ["it is closed after the request", (socket) => socket.on("data", () => socket.destroy())],
    ["no answer comes in time", () => {}],
    [
      "the answer stops half-way",
      (socket) => socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n<doc>")),
    ],
    ["the answer is no HTTP", (socket) => socket.on("data", () => socket.end("nonsense"))],
  ])("%s: it may have arrived", async (_, behave) => {
    accept = behave;
    expect(await postTo(address)(form, 300)).toMatchObject({ came: "nothing" });
  });

  test("an answer larger than the function could read: it may have been done", async () => {
    const body = Buffer.alloc(largestAnswer + 1, " ");
    accept = (socket) =>
      socket.on("data", () => socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`));
    expect(await postTo(address)(form, 5000)).toMatchObject({ came: "nothing", why: expect.stringContaining("size") });
  });

  test("a redirect is not followed", async () => {
    accept = (socket) =>
      socket.on("data", () =>
        socket.end("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
      );
    expect(await postTo(address)(form, 5000)).toMatchObject({ came: "answer", status: 302 });
  });
});
