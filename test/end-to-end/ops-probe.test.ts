import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClock } from "../../local/clock.ts";
import { createSandbox, type Sandbox, type Settings } from "../../local/simulators/billmgr/index.ts";
import { probe } from "../../operator/actions/probe.ts";
import { type TrialWorld, tryTrial } from "../../operator/actions/trial.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { type Served, serve } from "../../shared/http/serve.ts";
import { orderOf } from "../support/events.ts";
import { authinfo, testCatalog } from "../support/local.ts";
import { authinfoWith, canary } from "../support/secrets.ts";

let sandbox: Sandbox;
let server: Served;
let deps: TrialWorld;
const clock = createClock(0);
const accountOf = (password = authinfo) =>
  createBillmgr(postTo(`${server.url}/manager/billmgr`), async () => password, { fundsErrors: ["money"] });

beforeEach(async () => {
  sandbox = createSandbox({ now: clock.now, authinfo: () => authinfo, settings: { processingSeconds: 0 } });
  server = await serve(async (request, response) => {
    if (!(await sandbox.handle(request, response))) response.writeHead(404).end();
  });
  deps = { billmgr: accountOf(), catalog: testCatalog(), reference: "bw-probe-1", pause: async () => {} };
});
afterEach(() => server.close());

const withLicense = () => deps.billmgr.call("order", requestOf(orderOf(), "bw-0123456789abcdef-1-1"));
const answers = async () => {
  const { findings, able } = await probe(deps);
  const of = (all: typeof findings) =>
    Object.fromEntries(all.map(({ about, found }) => [about.replace("platform: ", ""), found]));
  return { findings: of(findings), able: of(able), details: findings.map(({ detail }) => detail).join("\n") };
};

describe("what an account shows", () => {
  test("all of it: nothing is changed, and everything can be told", async () => {
    await withLicense();
    const { findings, able, details } = await answers();
    expect(new Set(Object.values(able))).toEqual(new Set(["yes"]));
    expect(Object.entries(findings).filter(([, found]) => found !== "yes")).toEqual([
      ["the menu tells the functions", "no"],
    ]);
    expect(details).toMatch(/from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d for/);
    expect(sandbox.ledger()).toHaveLength(1);
  });

  test("an empty account: what only a license would show is unclear", async () => {
    const { able } = await answers();
    expect(able).toMatchObject({
      "find an order whose answer was lost, by its reference": "unclear",
      "prove that an order was not made, and make it again by itself": "unclear",
      "see that a license was prolonged": "unclear",
      "wait for money, and warn when there is little": "yes",
    });
  });

  const found = "find an order whose answer was lost, by its reference";
  const absent = "prove that an order was not made, and make it again by itself";
  test.each<[string, Partial<Settings>, Record<string, string>, Record<string, string>]>([
    [
      "a list without references: the forms tell them",
      { listShowsRemoteid: false, listShowsComment: false },
      { "the list shows our reference": "no" },
      { [found]: "yes", [absent]: "yes" },
    ],
    [
      "no references anywhere",
      { listShowsRemoteid: false, listShowsComment: false, formHides: ["remoteid", "comment"] },
      {},
      { [found]: "no", [absent]: "no" },
    ],
    [
      "a filter that cannot be emptied",
      { filterSubmit: "ignored" },
      { "a filter that was left in the account is emptied": "unclear" },
      { [found]: "yes" },
    ],
    [
      "a filter whose form is refused",
      { filterSubmit: "refused" },
      { "the list can be read whole": "no" },
      { [found]: "yes", [absent]: "no" },
    ],
    [
      "no list at all",
      { missing: ["list"] },
      { "the list can be read whole": "no" },
      { [found]: "unclear", [absent]: "no" },
    ],
    [
      "a form without expiry and addons",
      { formHides: ["expiry", "addons"] },
      { "the form of a license tells its state": "no" },
      { "see that a license was prolonged": "no", "see that addons were changed": "no" },
    ],
    [
      "a form without a status",
      { formHides: ["status"] },
      { "the form of a license tells its state": "no" },
      { "see that a license was suspended, resumed or deleted": "no" },
    ],
    [
      "no right to the balance",
      { denied: ["balance"] },
      { "the user is let in": "yes", "the balance is told": "no" },
      { "wait for money, and warn when there is little": "no" },
    ],
  ])("%s", async (_, settings, findings, able) => {
    await withLicense();
    sandbox.configure(settings);
    const told = await answers();
    expect(told.findings).toMatchObject(findings);
    expect(told.able).toMatchObject(able);
  });

  test("an addon that billmgr does not have under the catalog's code", async () => {
    const { products, ...rest } = testCatalog();
    const vmmanager6 = { pricelist: 55163, family: "platform", addons: { nodes: 55999 } };
    deps = { ...deps, catalog: { ...rest, products: { ...products, vmmanager6 } } };
    const { findings } = await probe(deps);
    expect(findings.find(({ about }) => about.startsWith("vmmanager6"))).toMatchObject({
      found: "no",
      detail: expect.stringContaining("not nodes (55999)"),
    });
  });

  test("a wrong password is tried once, and is told to nobody", async () => {
    deps = { ...deps, billmgr: accountOf(authinfoWith("-of-old")) };
    const probed = await probe(deps);
    expect(probed).toMatchObject({ findings: [{ about: "the user is let in", found: "no" }], able: [] });
    expect(sandbox.snapshot().calls).toHaveLength(1);
    expect(JSON.stringify(probed)).not.toContain(canary);
  });

  test("a second factor is no answer", async () => {
    sandbox.plan({ fault: "second_factor" });
    expect((await answers()).findings).toMatchObject({ "the user is let in": "no" });
  });
});

describe("a trial order", () => {
  const plan = "dci6-trial";
  const steps: string[] = [];
  beforeEach(() => steps.splice(0));
  const trial = (name = plan) =>
    tryTrial(name, deps, ({ did, outcome }) => steps.push(`${did.split(" ")[0]} ${outcome}`));

  test("is ordered, suspended, resumed and deleted, with what a reading showed after each", async () => {
    const { steps: all, left } = await trial();
    expect(steps).toEqual(["order done", "suspend done", "resume done", "delete done"]);
    expect(left).toBeUndefined();
    expect(all.map(({ saw: evidence }) => evidence.split(":")[0])).toEqual([
      "achieved",
      "achieved",
      "achieved",
      "achieved",
    ]);
    expect(all[0]?.saw).toContain("the list shows its reference as remoteid and comment");
    expect(sandbox.ledger().map(({ operation, cost }) => `${operation} ${cost}`)).toEqual([
      "order 0",
      "suspend 0",
      "resume 0",
      "delete 0",
    ]);
  });

  test("with addons they are edited too", async () => {
    const { plans, ...rest } = testCatalog();
    const [vm, dci] = [plans["vm6-monthly"], plans["dci6-trial"]];
    if (!vm || !dci?.trial) throw new Error("the catalog of the tests has changed");
    deps = { ...deps, catalog: { ...rest, plans: { "vm6-trial": { ...vm, trial: dci.trial } } } };
    expect((await trial("vm6-trial")).left).toBeUndefined();
    expect(sandbox.ledger()).toMatchObject([
      { addons: { 55165: 1 } },
      { operation: "edit", addons: { 55165: 2 } },
      {},
      {},
      {},
    ]);
  });

  test("that cannot be deleted is told with its number", async () => {
    sandbox.configure({ minimumTermDays: 30 });
    expect((await trial()).left).toBe("334673");
    expect(steps.at(-1)).toBe("delete unknown");
  });

  test("whose answer was lost is found by its reference, and deleted", async () => {
    sandbox.plan({ fault: "act_then_drop", func: "order" });
    const { left, steps: all } = await trial();
    expect(all[0]).toMatchObject({ outcome: "unknown", saw: expect.stringContaining("the list shows its reference") });
    expect(left).toBeUndefined();
    expect(sandbox.licenses()).toMatchObject([{ status: 4 }]);
  });

  test("of which nothing is seen may still come: its reference is told", async () => {
    sandbox.plan({ fault: "html", func: "order" });
    expect(await trial()).toMatchObject({ left: "bw-probe-1", steps: [{ outcome: "unknown" }] });
  });

  test("that is refused leaves nothing behind", async () => {
    sandbox.configure({ denied: ["order"] });
    const { left } = await trial();
    expect(steps).toEqual(["order refused"]);
    expect(left).toBeUndefined();
  });

  test("needs a plan with a trial", async () => {
    await expect(trial("dci6-monthly")).rejects.toThrow('no plan "dci6-monthly" with a trial, expected dci6-trial');
    expect(sandbox.snapshot().calls).toEqual([]);
  });
});
