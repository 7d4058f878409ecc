import { beforeEach, describe, expect, test } from "vitest";
import { createSandbox, type FaultPlan, type Sandbox } from "../../../../../local/simulators/billmgr/index.ts";
import { type Billmgr, createBillmgr } from "../../../../../shared/billmgr/billmgr.ts";
import { readReply } from "../../../../../shared/billmgr/reply.ts";
import type { Post, PostResult } from "../../../../../shared/billmgr/transport.ts";
import { authinfoWith } from "../../../../support/secrets.ts";

const authinfo = authinfoWith();

const start = Date.parse("2027-01-31T10:00:00Z");
const request = {
  func: "platform.order.param",
  out: "xml",
  clicked_button: "finish",
  sok: "ok",
  skipbasket: "on",
  pricelist: "55163",
  period: "1",
  comment: "ref",
};
const form = new URLSearchParams({ authinfo, ...request });

/** Virtual time, which only the test advances. */
let time: number;
let timers: { at: number; act: () => void }[];
let sandbox: Sandbox;
let post: Post;

beforeEach(() => {
  time = start;
  timers = [];
  sandbox = createSandbox({ now: () => new Date(time), authinfo: () => authinfo });
  post = sandbox.post((ms, act) => timers.push({ at: time + ms, act }));
});

function passTo(seconds: number) {
  const until = start + seconds * 1000;
  for (;;) {
    const [next] = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
    if (!next) break;
    timers.splice(timers.indexOf(next), 1);
    time = next.at;
    next.act();
  }
  time = until;
}

const orders = () => sandbox.ledger().filter(({ operation }) => operation === "order");

/** The result, and the virtual time after which it arrived. */
async function seen(sent: Promise<PostResult>, seconds: number): Promise<{ sent?: PostResult; after?: number }> {
  const result: { sent?: PostResult; after?: number } = {};
  void sent.then((received) => Object.assign(result, { sent: received, after: (time - start) / 1000 }));
  for (let second = 0; second <= seconds; second++) {
    passTo(second);
    await new Promise(setImmediate);
  }
  return result;
}

describe("a call without a network", () => {
  test("is answered immediately, as over HTTP", async () => {
    const sent = await post(form, 60_000);
    expect(sent).toMatchObject({ kind: "response", status: 200 });
    const reply = sent.kind === "response" && readReply(sent.status, sent.body);
    expect(reply).toMatchObject({ kind: "document", doc: { id: [{ "#text": "334673" }] } });
    expect(orders()).toHaveLength(1);
    expect(sandbox.snapshot().calls).toMatchObject([{ method: "POST", operation: "order", answer: "ok" }]);
    expect(timers).toEqual([]);
  });

  test("works with the real client", async () => {
    const billmgr: Billmgr = createBillmgr(post, async () => authinfo);
    expect(await billmgr.call("order", request)).toMatchObject({ outcome: "done", elid: "334673" });
    expect(await billmgr.licenses("platform")).toMatchObject({ rows: [{ comment: "ref" }] });
  });

  test.each<[FaultPlan, object, number]>([
    [{ fault: "act_then_drop" }, { sent: { kind: "no_response" }, after: 0 }, 1],
    [{ fault: "drop_before_acting" }, { sent: { kind: "no_response" }, after: 0 }, 0],
    [{ fault: "504", act: true }, { sent: { kind: "response", status: 504 }, after: 0 }, 1],
    [{ fault: "hang" }, { sent: { kind: "no_response", why: "no answer within 20 s" }, after: 20 }, 0],
    [{ fault: "hang_then_act", seconds: 5 }, { sent: { kind: "no_response" }, after: 20 }, 1],
    [{ fault: "slow", seconds: 19 }, { sent: { kind: "response", status: 200 }, after: 19 }, 1],
    [{ fault: "slow", seconds: 20 }, { sent: { kind: "no_response", why: "no answer within 20 s" }, after: 20 }, 1],
  ])("%o", async (plan, expected, bought) => {
    sandbox.plan(plan);
    expect(await seen(post(form, 20_000), 30)).toMatchObject(expected);
    expect(orders()).toHaveLength(bought);
  });

  test("acts at its time, although the caller gave up long before", async () => {
    sandbox.plan({ fault: "hang_then_act", seconds: 90 });
    expect(await seen(post(form, 20_000), 89)).toMatchObject({ sent: { kind: "no_response" }, after: 20 });
    expect(orders()).toEqual([]);
    passTo(90);
    expect(orders()).toMatchObject([{ at: "2027-01-31T10:01:30.000Z" }]);
  });
});
