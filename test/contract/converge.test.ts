import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ConvergeDependencies, converge } from "../../functions/provision/converge.ts";
import { provision } from "../../functions/provision/provision.ts";
import { serveSandbox } from "../../local/simulators/billmgr/serve.ts";
import { type LocalTable, startTable, tableName } from "../../local/table.ts";
import { breakerIn } from "../../shared/aws/breaker.ts";
import { createTable, type Table } from "../../shared/aws/table.ts";
import { type Billmgr, createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import type { Key, Message } from "../../shared/intake/message.ts";
import type { Event } from "../../shared/licensing/event.ts";
import { dependenciesOf } from "../support/dependencies.ts";
import { authinfo, testCatalog } from "../support/local.ts";
import { watchedLog } from "../support/log.ts";

const aws = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };
const start = Date.parse("2026-11-23T08:00:00Z");
let tableServer: LocalTable;
let table: Table;
let sandbox: Awaited<ReturnType<typeof serveSandbox>>;
let billmgr: Billmgr;
let time: number;
let key: Key;
let keys = 0;

beforeEach(async () => {
  // Each billmgr of these tests begins with the same license numbers, so no two may share a table.
  tableServer = await startTable(aws);
  table = createTable(tableServer.client, tableName);
  time = start;
  key = `subscription#standard/${++keys}`;
  sandbox = await serveSandbox({
    now: () => new Date(time),
    authinfo: () => undefined,
    settings: { processingSeconds: 0 },
  });
  billmgr = createBillmgr(postTo(sandbox.url), async () => authinfo);
  return async () => {
    await sandbox.close();
    await tableServer.stop();
  };
});

const deps = (overrides: Partial<ConvergeDependencies> = {}) =>
  dependenciesOf({ table, billmgr, now: () => new Date(time), ...overrides });

const bought = (months: number): Event => ({
  id: `evt_${months}`,
  type: "payment.succeeded",
  occurredAt: "2026-11-23T07:59:00.000Z",
  payment: `p_${months}`,
  covers: { months },
  trial: false,
  items: { asOf: "2026-11-23T07:59:00.000Z", list: [{ names: ["vm6-monthly"], quantity: 1 }] },
});
const minutes = (count: number) => {
  time += count * 60_000;
};
const ledger = () => sandbox.sandbox.ledger().map(({ operation }) => operation);

test("without enough time left, no call is made and the subscription is due immediately", async () => {
  await converge(key, [bought(1)], deps({ timeLeft: () => 100_000 }));
  expect(sandbox.sandbox.ledger()).toEqual([]);
  expect((await table.load(key))?.due).toBe(new Date(start).toISOString());
  await converge(key, [], deps());
  expect(ledger()).toEqual(["order"]);
});

test("of several concurrent workers for one subscription, only one makes the call", async () => {
  await Promise.all(Array.from({ length: 5 }, () => converge(key, [bought(1)], deps())));
  expect(ledger()).toEqual(["order"]);
});

test("a call whose worker stopped has an unknown outcome", async () => {
  const puts: string[] = [];
  const metrics = { put: (name: string) => void puts.push(name) };
  const call = async () => Promise.reject(new Error("died"));
  await expect(converge(key, [bought(1)], deps({ metrics, billmgr: { ...billmgr, call } }))).rejects.toThrow("died");
  expect(puts).toEqual([]);
  minutes(5);
  await converge(key, [], deps({ metrics }));
  expect(puts).toEqual(["UnknownOutcomes", "UnknownOutcomeAge"]);
});

test("each operation is logged with parameters, times, outcome, and observations", async () => {
  await converge(key, [bought(2)], deps());
  expect(await table.operations(key)).toMatchObject([
    {
      n: 1,
      outcome: "done",
      attempt: {
        startedAt: "2026-11-23T08:00:00.000Z",
        params: { func: "platform.order.param", pricelist: "55163", remoteid: expect.stringMatching(/^bw-/) },
        outcome: "done",
        response: expect.stringContaining("ordered license"),
      },
      observations: [{ verdict: "achieved" }],
    },
    { n: 2, change: { kind: "prolong" }, before: { expiry: "2026-12-23" }, outcome: "done" },
  ]);
});

test("an event that another worker folds during the call is kept, and so is the outcome", async () => {
  const changed: Event = {
    id: "evt_changed",
    type: "subscription.changed",
    occurredAt: "2026-11-23T08:00:00.000Z",
    items: { asOf: "2026-11-23T08:00:00.000Z", list: [{ names: ["vm6-monthly"], quantity: 3 }] },
  };
  const call: Billmgr["call"] = async (...args) => {
    const outcome = await billmgr.call(...args);
    if (args[0] === "order") await converge(key, [changed], deps());
    return outcome;
  };
  await converge(key, [bought(1)], deps({ billmgr: { ...billmgr, call } }));
  expect(ledger()).toEqual(["order", "edit"]);
  expect((await table.load(key))?.subscription.slots).toMatchObject([{ license: { addons: { 55165: 3 } } }]);
});

test("a worker that observes another worker's change keeps the other's call in the log", async () => {
  await converge(key, [bought(1)], deps());
  const license: Billmgr["license"] = async (...args) => {
    await converge(key, [bought(2)], deps());
    return billmgr.license(...args);
  };
  await converge(key, [bought(2)], deps({ billmgr: { ...billmgr, license } }));
  expect(ledger()).toEqual(["order", "prolong", "prolong"]);
  for (const { attempt, outcome } of await table.operations(key)) {
    expect([attempt?.outcome, outcome]).toEqual(["done", "done"]);
  }
});

test("a license that was found by its reference is stored before it is read", async () => {
  sandbox.sandbox.plan({ fault: "act_then_drop", func: "order" });
  await converge(key, [bought(1)], deps());
  minutes(5);
  const dies = () => Promise.reject(new Error("died"));
  await expect(converge(key, [], deps({ billmgr: { ...billmgr, license: dies } }))).rejects.toThrow("died");
  expect((await table.load(key))?.subscription.operation).toMatchObject({ elid: "334673" });
});

test("a halt stops reads too", async () => {
  sandbox.sandbox.plan({ fault: "act_then_drop", func: "order" });
  await converge(key, [bought(1)], deps());
  await table.setHalt({ since: new Date(time).toISOString(), reason: "test" });
  minutes(5);
  const dies = () => Promise.reject(new Error("was called"));
  await converge(key, [], deps({ billmgr: { ...billmgr, licenses: dies, license: dies } }));
  await table.liftHalt();
  expect((await table.load(key))?.subscription.operation).toMatchObject({ state: "unknown", observations: [] });
});

test("a license that someone else prolonged is not replaced after a gap", async () => {
  await converge(key, [bought(1)], deps());
  const [license] = sandbox.sandbox.licenses();
  const form = new URLSearchParams({
    ...{ authinfo, out: "xml", func: "service.prolong", elid: license?.id ?? "", period: "12", sok: "ok" },
  });
  await fetch(sandbox.url, { method: "POST", body: form });
  minutes(100 * 24 * 60);
  const again = { ...bought(2), id: "evt_again", payment: "p_again", occurredAt: new Date(time).toISOString() };
  await converge(key, [again], deps());
  expect(ledger()).toEqual(["order", "prolong"]);
});

test("an observation that times out is recorded as pending", async () => {
  sandbox.sandbox.plan({ fault: "act_then_drop", func: "order" });
  await converge(key, [bought(1)], deps());
  minutes(5);
  const licenses = () => new Promise<never>(() => {});
  // Enough time to start; the observation itself gets 20 ms.
  const left = [120_000, 10_020];
  const hasty = deps({ billmgr: { ...billmgr, licenses }, timeLeft: () => left.shift() ?? 0 });
  await converge(key, [], hasty);
  expect((await table.load(key))?.subscription.operation).toMatchObject({
    state: "unknown",
    observations: [{ verdict: "pending", evidence: expect.stringContaining("no observation within") }],
  });
});

describe("a wrong password", () => {
  const log = watchedLog();
  const withBreaker = () =>
    createBillmgr(postTo(sandbox.url), async () => authinfo, {
      breaker: breakerIn(table, () => new Date(time), log),
    });
  const sent = () => sandbox.sandbox.snapshot().calls.length;
  const wrong = () => sandbox.sandbox.plan({ fault: "error", type: "auth", object: "badpassword" });
  afterEach(() => table.liftHalt());

  test("stops even a call that another worker has claimed, until the halt is lifted", async () => {
    const billmgr = withBreaker();
    let before = 0;
    const call: Billmgr["call"] = async (...args) => {
      before = sent();
      wrong();
      await billmgr.balance().catch(() => {});
      return billmgr.call(...args);
    };
    await converge(key, [bought(1)], deps({ billmgr: { ...billmgr, call } }));
    expect(sent()).toBe(before + 1);
    expect((await table.load(key))?.subscription.operation).toMatchObject({ outcome: "not_sent" });
    minutes(60);
    await converge(key, [], deps({ billmgr }));
    expect(sent()).toBe(before + 1);
    await table.liftHalt();
    await converge(key, [], deps({ billmgr }));
    expect(ledger()).toEqual(["order"]);
  });

  test("halts all calls when a read is refused", async () => {
    wrong();
    await expect(withBreaker().licenses("platform")).rejects.toThrow("all calls are halted");
    expect(sent()).toBe(1);
    expect(await table.halt()).toMatchObject({ reason: expect.stringContaining("badpassword") });
  });

  test("no call is sent while the halt cannot be read", async () => {
    const breaker = { tripReason: () => Promise.reject(new Error("no table")), trip: async () => {} };
    const blind = createBillmgr(postTo(sandbox.url), async () => authinfo, { breaker });
    expect(await blind.call("delete", {})).toMatchObject({
      outcome: "not_sent",
      response: expect.stringContaining("no table"),
    });
    expect(sent()).toBe(0);
  });
});

test("an event of the test mode is stored as ignored, unless the policy accepts it", async () => {
  const occurredAt = "2026-11-23T07:59:00.000Z";
  const received = {
    id: "evt_1",
    type: "payment.succeeded",
    occurredAt,
    receivedAt: occurredAt,
    test: true,
    body: "{}",
  };
  const message: Message = { key, kind: "event", received, events: [bought(1)] };
  await provision(message, { ...deps(), send: async () => {} });
  expect(ledger()).toEqual([]);
  expect(await table.events(key)).toMatchObject([{ status: "ignored", reason: "from the storefront's test mode" }]);
  await provision(message, { ...deps({ catalog: testCatalog({ acceptTestMode: true }) }), send: async () => {} });
  expect(ledger()).toEqual(["order"]);
});

/** Dependencies of a worker that dies before or after its n-th request to the table or to billmgr. */
function dyingAt(step: number, when: "before" | "after"): ConvergeDependencies {
  let count = 0;
  const dying = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (inner, name) => {
        const method = inner[name as keyof T] as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          const dies = ++count === step;
          if (dies && when === "before") throw new Error("died before");
          const result = await method.apply(inner, args);
          if (dies) throw new Error("died after");
          return result;
        };
      },
    });
  return deps({ table: dying(table), billmgr: dying(billmgr) });
}

describe.each(["before", "after"] as const)("a worker that dies %s any of its steps", (when) => {
  test("is replaced by the next worker, and nothing is bought twice", { timeout: 60_000 }, async () => {
    // A known license, so that absence can be proved.
    await converge(key, [bought(1)], deps());
    const first = sandbox.sandbox.ledger().length;
    let finished = false;
    for (let step = 1; !finished; step++) {
      key = `subscription#standard/${++keys}`;
      const before = sandbox.sandbox.ledger().length;
      await converge(key, [bought(2)], dyingAt(step, when)).then(
        () => (finished = true),
        () => {},
      );
      // The queue delivers the message again; after that only the schedule wakes it.
      await converge(key, [bought(2)], deps()).catch(() => {});
      for (let i = 0; i < 8; i++) {
        minutes(12);
        await converge(key, [], deps());
      }
      expect([step, ledger().slice(before)]).toEqual([step, ["order", "prolong"]]);
      expect((await table.operations(key)).length).toBeGreaterThanOrEqual(2);
    }
    expect(sandbox.sandbox.ledger().length).toBeGreaterThan(first + 20);
  });
});
