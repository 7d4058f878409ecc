import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FaultName, FaultPlan, Sandbox } from "../../../../../local/simulators/billmgr/index.ts";
import { serveSandbox } from "../../../../../local/simulators/billmgr/serve.ts";
import { authinfoWith } from "../../../../support/secrets.ts";

const authinfo = authinfoWith();

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "@", parseTagValue: false });

let sandbox: Sandbox;
let url: string;
let origin: string;
let close: () => Promise<void>;

beforeEach(async () => {
  const now = () => new Date("2027-01-31T10:00:00Z");
  ({ sandbox, url, origin, close } = await serveSandbox({ now, authinfo: () => authinfo }));
});
afterEach(() => close());

function post(params: Record<string, string>, signal?: AbortSignal): Promise<Response> {
  const body = new URLSearchParams({ authinfo, out: "xml", ...params });
  return fetch(url, { method: "POST", body, ...(signal && { signal }) });
}

const orderParams = {
  func: "platform.order.param",
  clicked_button: "finish",
  sok: "ok",
  skipbasket: "on",
  pricelist: "55163",
  period: "1",
};
const order = (signal?: AbortSignal) => post(orderParams, signal);
const orders = () => sandbox.ledger().filter(({ operation }) => operation === "order").length;
const lastCall = () => sandbox.snapshot().calls.at(-1);

describe("the connection breaks", () => {
  test.each([
    ["act_then_drop", 1],
    ["drop_before_acting", 0],
  ] as const)("%s", async (fault, bought) => {
    sandbox.plan({ fault });
    await expect(order()).rejects.toThrow();
    expect(orders()).toBe(bought);
    expect(lastCall()).toMatchObject({ answer: "dropped", fault });
    expect((await order()).status).toBe(200);
    expect(orders()).toBe(bought + 1);
  });

  test("hang never answers, does not act, and does not affect other calls", async () => {
    sandbox.plan({ fault: "hang" });
    await expect(order(AbortSignal.timeout(100))).rejects.toThrow();
    expect(orders()).toBe(0);
    await order();
    expect(orders()).toBe(1);
  });

  test("hang_then_act acts although the caller has given up", async () => {
    sandbox.plan({ fault: "hang_then_act", seconds: 0.2 });
    await expect(order(AbortSignal.timeout(50))).rejects.toThrow();
    expect(orders()).toBe(0);
    await expect.poll(orders).toBe(1);
  });

  test("slow answers late, and acts even if the caller is gone", async () => {
    sandbox.plan({ fault: "slow", seconds: 0.2, times: 2 });
    const started = performance.now();
    expect(await (await order()).text()).toContain("<id>334673</id>");
    expect(performance.now() - started).toBeGreaterThan(190);
    await expect(order(AbortSignal.timeout(50))).rejects.toThrow();
    await sleep(250);
    expect(orders()).toBe(2);
  });

  test("a caller that disconnects during the request has not made a call", async () => {
    const half = request(url, { method: "POST", headers: { "content-length": 1000 } });
    half.on("error", () => undefined);
    half.write(new URLSearchParams({ authinfo, out: "xml", ...orderParams }).toString());
    await sleep(50);
    half.destroy();
    await sleep(50);
    expect(sandbox.snapshot().calls).toEqual([]);
    expect((await order()).status).toBe(200);
  });
});

describe("the answer is not XML", () => {
  test.each<[FaultPlan, number, RegExp, number]>([
    [{ fault: "long_request" }, 200, /Request in process, please wait.*long.+billmgr/s, 1],
    [{ fault: "html" }, 200, /<html>/, 0],
    [{ fault: "html", act: true }, 200, /<html>/, 1],
    [{ fault: "captcha" }, 200, /CAPTCHA/, 0],
    [{ fault: "http_status", status: 503 }, 503, /503/, 0],
    [{ fault: "http_status", status: 504, act: true }, 504, /504/, 1],
    [{ fault: "429" }, 429, /Too Many Requests/, 0],
  ])("%o", async (plan, status, page, bought) => {
    sandbox.plan(plan);
    const response = await order();
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("text/html");
    expect(await response.text()).toMatch(page);
    expect(orders()).toBe(bought);
  });

  test.each<FaultName>(["truncated", "malformed", "empty"])("%s XML, after acting", async (fault) => {
    sandbox.plan({ fault });
    const response = await order();
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(XMLValidator.validate(text)).not.toBe(true);
    expect(text.startsWith("<?xml")).toBe(fault !== "empty");
    expect(orders()).toBe(1);
  });
});

describe("the document differs", () => {
  test.each([false, true])('the fault "error" returns its error, with act: %s', async (act) => {
    sandbox.plan({ fault: "error", type: "limit", object: "orders", act });
    const { doc } = parser.parse(await (await order()).text());
    expect(doc.error).toMatchObject({ "@type": "limit", "@object": "orders", "@code": "5" });
    expect(orders()).toBe(act ? 1 : 0);
  });

  test('the fault "basket" leaves the order unpaid in the cart', async () => {
    sandbox.plan({ fault: "basket" });
    const { doc } = parser.parse(await (await order()).text());
    expect(doc).toMatchObject({ billorder: "9001", payment_id: "9001", ok: { "@type": "url" } });
    expect(sandbox.licenses()).toEqual([]);
  });

  test('the fault "unpaid" creates the license with status 1 and charges nothing', async () => {
    sandbox.plan({ fault: "unpaid" });
    expect(await (await order()).text()).toContain("<id>334673</id>");
    expect(sandbox.licenses()).toMatchObject([{ id: "334673", status: 1 }]);
    expect(sandbox.ledger()).toMatchObject([{ unpaid: true, cost: 0, balance: 100_000 }]);
  });

  test.each([
    ["reply_without_id", {}],
    ["reply_item_id", { "item.id": "334673" }],
  ] as const)("%s", async (fault, shape) => {
    sandbox.plan({ fault });
    const { doc } = parser.parse(await (await order()).text());
    expect(doc).toMatchObject({ ok: "", ...shape });
    expect(doc).not.toHaveProperty("id");
    expect(orders()).toBe(1);
  });

  test("a fault that acts still refuses a wrong password", async () => {
    sandbox.plan({ fault: "act_then_drop" });
    await expect(post({ ...orderParams, authinfo: authinfoWith("-of-old") })).rejects.toThrow();
    expect(orders()).toBe(0);
  });
});

describe("plans", () => {
  const send = (method: string, body?: unknown) =>
    fetch(`${origin}/sandbox/faults`, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const pending = async () => ((await (await send("GET")).json()) as { pending: unknown[] }).pending;

  test("apply to the function, operation, and license that they name, as often as planned", async () => {
    await order();
    await order();
    await send("POST", [
      { fault: "error", type: "a", func: "list", times: 2 },
      { fault: "error", type: "b", func: "suspend", elid: 334674 },
      { fault: "error", type: "c", func: "platform.edit" },
      { fault: "basket" },
    ]);
    const errorOf = async (params: Record<string, string>) =>
      parser.parse(await (await post(params)).text()).doc.error?.["@type"];
    expect(await errorOf({ func: "whoami" })).toBeUndefined();
    expect(await errorOf({ func: "platform.suspend", elid: "334673" })).toBeUndefined();
    expect(await errorOf({ func: "platform.suspend", elid: "334673, 334674" })).toBe("b");
    expect(await errorOf({ func: "platform.edit", elid: "334673" })).toBe("c");
    expect([await errorOf({ func: "platform" }), await errorOf({ func: "platform" })]).toEqual(["a", "a"]);
    expect(await errorOf({ func: "platform" })).toBeUndefined();
    expect(await pending()).toEqual([{ fault: "basket", times: 1 }]);
    expect((await send("DELETE")).status).toBe(200);
    expect(await pending()).toEqual([]);
  });

  test("match names regardless of case and separators, and have descriptions", async () => {
    await send("POST", { fault: "Act-Then Drop" });
    await send("POST", { fault: 502 });
    expect(await (await send("GET")).json()).toMatchObject({
      pending: [{ fault: "act_then_drop" }, { fault: "http_status", status: 502 }],
      known: { hang: expect.stringContaining("Never answers") },
    });
  });

  test.each([
    [{ fault: "act_than_drop" }, '"act_than_drop" is not a fault; did you mean "act_then_drop"?'],
    [{ fault: "hang", time: 2 }, 'hang: time is not a setting; did you mean "times"?'],
    [{ fault: "hang", times: 0 }, "hang: times is 0; expected at least 1"],
    [{ fault: "hang", func: "platform.ordr.param" }, 'did you mean "platform.order.param"?'],
    [{ fault: "unpaid", func: "prolong" }, 'func is "prolong"; expected "order" or nothing'],
    [{ fault: "basket", func: "platform.edit" }, 'func is "platform.edit"; expected "order" or "prolong" or nothing'],
    [{ fault: "as_if", settings: { balanse: 1 } }, 'settings.balanse is not a setting; did you mean "balance"?'],
    [{ fault: "filter_set", filter: { stat: "3" } }, "filter.stat is not a setting"],
    [{ fault: "http_status", status: 418 }, "status is 418; expected 403 or 429 or 500 or 502 or 503 or 504"],
    [{ fault: "http_status" }, "status is missing"],
    [{ fault: "error" }, "type is missing; expected a string"],
    ["hang", 'fault: the value is "hang"; expected an object'],
  ])("%o is refused", async (plan, explanation) => {
    const response = await send("POST", [{ fault: "hang" }, plan]);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining(explanation) });
    expect(await pending()).toEqual([]);
  });
});
