import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { createTimeControl } from "../../local/advance.ts";
import { startFunctions } from "../../local/functions.ts";
import { createRequestHandler } from "../../local/routes.ts";
import { tableName } from "../../local/table.ts";
import { createTable } from "../../shared/aws/table.ts";
import { serve } from "../../shared/http/serve.ts";
import { dayOf } from "../../shared/licensing/time.ts";
import { boughtTooMuch, disagreements, leaked, lost, misreported, unlogged } from "../crash/checks.ts";
import { lingersFor, someFault } from "../crash/faults.ts";
import { live } from "../crash/life.ts";
import { Shop } from "../crash/shop.ts";
import { moveBy, type System, startSystem } from "../crash/system.ts";
import { Random } from "../simulation/random.ts";
import { hasJava } from "../support/dynamodb-local.ts";
import { authinfo, standardSecret } from "../support/local.ts";

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
const lives = 16;
const customers = 36;
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

// In CI the test must run: without Java it fails there instead of being skipped.
const runs = hasJava() || process.env.CI === "true";

let system: System;
beforeAll(async () => {
  if (runs) system = await startSystem();
}, 60_000);
afterAll(() => system?.stop());

test.runIf(runs)(
  "functions that are killed at any moment buy nothing twice and lose nothing",
  async () => {
    onTestFailed(() => console.error(`to repeat: CRASH_SEED=${seed} npx vitest run test/end-to-end/crash.test.ts`));
    const random = new Random(seed);
    const shop = new Shop(customers, random.fork(), system.clock);
    for (let n = 1; n <= lives; n++) {
      shop.open();
      await liveAndDie(shop, random);
      // In the short pauses claims reach their deadlines and absences are proved; in the long ones months end.
      moveBy(system.clock, n % 3 === 0 ? 10 * day : random.pick([2 * minute, 20 * minute, 2 * hour, day]));
    }
    await recover(shop);

    const { sandbox, clock } = system;
    const table = createTable(system.table.client, tableName);
    const { calls, callCount } = sandbox.snapshot();
    expect(calls).toHaveLength(callCount);
    expect(boughtTooMuch(sandbox.ledger(), shop.customers)).toEqual([]);
    expect(await lost(shop.webhooks, table)).toEqual([]);
    expect(await unlogged(calls, shop.customers, table)).toEqual([]);
    const published = system.bus.taken.map(({ Detail }) => (JSON.parse(Detail) as { id: string }).id);
    expect(await misreported(published, shop.customers, table)).toEqual([]);
    expect(await leaked(system.table.client, [authinfo, authinfo.split(":")[1] ?? "", standardSecret])).toEqual([]);
    const { flaws, asked } = await disagreements(shop.customers, sandbox, table, dayOf(clock.now().toISOString()));
    expect(flaws).toEqual([]);
    expect(asked.length, asked.join("\n")).toBeLessThan(customers / 3);
  },
  180_000,
);

/** Kills the functions when a call arrives at billmgr or was answered, or after a while. */
async function liveAndDie(shop: Shop, random: Random): Promise<void> {
  const { sandbox, billmgr } = system;
  for (let i = random.int(0, 6); i > 0; i--) sandbox.plan(someFault(random));
  const life = await live(system.config());
  const last = billmgr.calls() + random.int(1, 60);
  const when = random.pick(["arrival", "answer"]);
  billmgr.watch((call, at) => {
    if (call === last && at === when) life.kill();
  });
  setTimeout(life.kill, random.int(20, 2000));
  await shop.deliver(life.url, life.over);
  await life.ended;
  // billmgr finishes the calls of the dead process before the clock advances.
  await new Promise((resolve) => setTimeout(resolve, lingersFor));
}

/** Runs without faults until everything is settled. */
async function recover(shop: Shop): Promise<void> {
  const { clock, queue, catalog, billmgr, secrets, publish } = system;
  await billmgr.forgetFaults();
  const table = createTable(system.table.client, tableName);
  const functions = startFunctions({
    table,
    queue,
    secrets,
    billmgr: billmgr.address,
    catalog,
    now: clock.now,
    log: { info() {}, warn() {}, error() {} },
    publish,
    scheduleIntervalMs: hour,
  });
  const time = createTimeControl({ clock, table, queue, ...functions });
  const { advanceTo } = time;
  const endpoint = await serve(
    createRequestHandler({ webhook: functions.webhook, sandbox: undefined, clock, advanceTo, table }),
  );
  shop.charge();
  await shop.deliver(endpoint.url, new AbortController().signal);
  // Attention items are retried every ten minutes.
  for (let sweeps = 0; sweeps < 60; sweeps++) await advanceTo(new Date(clock.now().getTime() + 10 * minute));
  await functions.stop();
  await endpoint.close();
}
