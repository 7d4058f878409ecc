import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClock } from "../../local/clock.ts";
import { createSandbox, type Sandbox, type Settings } from "../../local/simulators/billmgr/index.ts";
import { probe } from "../../operator/actions/probe.ts";
import { runTrial, type TrialDependencies } from "../../operator/actions/trial.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import { type Served, serve } from "../../shared/http/serve.ts";
import { orderOf } from "../support/events.ts";
import { authinfo, testCatalog } from "../support/local.ts";
import { authinfoWith, canary } from "../support/secrets.ts";

let sandbox: Sandbox;
let server: Served;
let deps: TrialDependencies;
const clock = createClock(0);
const accountOf = (password = authinfo) =>
  createBillmgr(postTo(`${server.url}/manager/billmgr`), async () => password, { fundsErrors: ["money"] });

beforeEach(async () => {
  sandbox = createSandbox({ now: clock.now, authinfo: () => authinfo, settings: { processingSeconds: 0 } });
  server = await serve(async (request, response) => {
    if (!(await sandbox.handle(request, response))) response.writeHead(404).end();
  });
  deps = { billmgr: accountOf(), catalog: testCatalog(), reference: "bw-probe-1", wait: async () => {} };
});
afterEach(() => server.close());

const withLicense = () => deps.billmgr.call("order", requestOf(orderOf(), "bw-0123456789abcdef-1-1"));
const probeAll = async () => {
  const { findings, able } = await probe(deps);
  const answersOf = (all: typeof findings) =>
    Object.fromEntries(all.map(({ about, found }) => [about.replace("platform: ", ""), found]));
  return {
    findings: answersOf(findings),
    able: answersOf(able),
    details: findings.map(({ detail }) => detail).join("\n"),
  };
};

describe("a probe", () => {
  test("of a complete account finds everything, and changes nothing", async () => {
    await withLicense();
    const { findings, able, details } = await probeAll();
    expect(new Set(Object.values(able))).toEqual(new Set(["yes"]));
    expect(Object.entries(findings).filter(([, found]) => found !== "yes")).toEqual([
      ["the menu lists the functions", "no"],
    ]);
    expect(details).toMatch(/from \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d for/);
    expect(sandbox.ledger()).toHaveLength(1);
  });

  test("of an empty account reports as unclear what only a license shows", async () => {
    const { able } = await probeAll();
    expect(able).toMatchObject({
      "find an order by its reference after a lost response": "unclear",
      "check before each order that it was not made already": "unclear",
      "prove that an order was not made, and repeat it automatically": "unclear",
      "verify that a license was prolonged": "unclear",
      "retry after a top-up, and warn about a low balance": "yes",
    });
  });

  const findOrder = "find an order by its reference after a lost response";
  const guardOrder = "check before each order that it was not made already";
  const proveAbsence = "prove that an order was not made, and repeat it automatically";
  test.each<[string, Partial<Settings>, Record<string, string>, Record<string, string>]>([
    [
      "a list without references: the forms show them",
      { listShowsRemoteid: false, listShowsComment: false },
      { "the list shows our reference": "no" },
      { [findOrder]: "yes", [guardOrder]: "yes", [proveAbsence]: "yes" },
    ],
    [
      "no references anywhere",
      { listShowsRemoteid: false, listShowsComment: false, formHides: ["remoteid", "comment"] },
      {},
      { [findOrder]: "no", [guardOrder]: "no", [proveAbsence]: "no" },
    ],
    [
      "a filter that cannot be cleared",
      { filterSubmit: "ignored" },
      { "a filter that was left in the account is cleared": "unclear" },
      { [findOrder]: "yes" },
    ],
    [
      "a filter whose form is refused",
      { filterSubmit: "refused" },
      { "the whole list can be read": "no" },
      { [findOrder]: "yes", [guardOrder]: "no", [proveAbsence]: "no" },
    ],
    [
      "no list at all",
      { missing: ["list"] },
      { "the whole list can be read": "no" },
      { [findOrder]: "unclear", [proveAbsence]: "no" },
    ],
    [
      "a form without expiry and addons",
      { formHides: ["expiry", "addons"] },
      { "the form of a license shows its status and expiry": "no" },
      { "verify that a license was prolonged": "no", "verify that addons were changed": "no" },
    ],
    [
      "a form without a status",
      { formHides: ["status"] },
      { "the form of a license shows its status and expiry": "no" },
      { "verify that a license was suspended, resumed, or deleted": "no" },
    ],
    [
      "no permission to read the balance",
      { denied: ["balance"] },
      { "the login works": "yes", "the balance can be read": "no" },
      { "retry after a top-up, and warn about a low balance": "no" },
    ],
  ])("%s", async (_, settings, findings, able) => {
    await withLicense();
    sandbox.configure(settings);
    const probed = await probeAll();
    expect(probed.findings).toMatchObject(findings);
    expect(probed.able).toMatchObject(able);
  });

  test("finds an addon code of the catalog that billmgr does not have", async () => {
    const { products, ...rest } = testCatalog();
    const vmmanager6 = { pricelist: 55163, family: "platform", addons: { nodes: 55999 } };
    deps = { ...deps, catalog: { ...rest, products: { ...products, vmmanager6 } } };
    const { findings } = await probe(deps);
    expect(findings.find(({ about }) => about.startsWith("vmmanager6"))).toMatchObject({
      found: "no",
      detail: expect.stringContaining("not nodes (55999)"),
    });
  });

  test("tries a wrong password once, and never prints it", async () => {
    deps = { ...deps, billmgr: accountOf(authinfoWith("-of-old")) };
    const probed = await probe(deps);
    expect(probed).toMatchObject({ findings: [{ about: "the login works", found: "no" }], able: [] });
    expect(sandbox.snapshot().calls).toHaveLength(1);
    expect(JSON.stringify(probed)).not.toContain(canary);
  });

  test("does not accept the form of a second factor as an answer", async () => {
    sandbox.plan({ fault: "second_factor" });
    expect((await probeAll()).findings).toMatchObject({ "the login works": "no" });
  });
});

describe("a trial order", () => {
  const plan = "dci6-trial";
  const steps: string[] = [];
  beforeEach(() => steps.splice(0));
  const trial = (name = plan) =>
    runTrial(name, deps, ({ change, outcome }) => steps.push(`${change.split(" ")[0]} ${outcome}`));

  test("is ordered, suspended, resumed, and deleted, and read after each step", async () => {
    const { steps: all, left } = await trial();
    expect(steps).toEqual(["order done", "suspend done", "resume done", "delete done"]);
    expect(left).toBeUndefined();
    expect(all.map(({ evidence }) => evidence.split(":")[0])).toEqual(["achieved", "achieved", "achieved", "achieved"]);
    expect(all[0]?.evidence).toContain("the list shows its reference as remoteid and comment");
    expect(sandbox.ledger().map(({ operation, cost }) => `${operation} ${cost}`)).toEqual([
      "order 0",
      "suspend 0",
      "resume 0",
      "delete 0",
    ]);
  });

  test("with addons is edited too", async () => {
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

  test("that cannot be deleted is reported with its number", async () => {
    sandbox.configure({ minimumTermDays: 30 });
    expect((await trial()).left).toBe("334673");
    expect(steps.at(-1)).toBe("delete unknown");
  });

  test("whose response was lost is found by its reference, and deleted", async () => {
    sandbox.plan({ fault: "act_then_drop", func: "order" });
    const { left, steps: all } = await trial();
    expect(all[0]).toMatchObject({
      outcome: "unknown",
      evidence: expect.stringContaining("the list shows its reference"),
    });
    expect(left).toBeUndefined();
    expect(sandbox.licenses()).toMatchObject([{ status: 4 }]);
  });

  test("that is not found may still appear, so its reference is reported", async () => {
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
    await expect(trial("dci6-monthly")).rejects.toThrow('no plan "dci6-monthly" with a trial; expected dci6-trial');
    expect(sandbox.snapshot().calls).toEqual([]);
  });
});
