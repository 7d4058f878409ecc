import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, onTestFailed, test } from "vitest";
import { timeOf } from "../../local/advance.ts";
import { startFunctions } from "../../local/functions.ts";
import { createDoor } from "../../local/routes.ts";
import { tableName } from "../../local/table.ts";
import { createTable } from "../../shared/aws/table.ts";
import { serve } from "../../shared/http/serve.ts";
import { dayOf } from "../../shared/licensing/time.ts";
import { boughtTooMuch, disagreements, leaked, lost, unlogged, untold } from "../crash/checks.ts";
import { lingersFor, someFault } from "../crash/faults.ts";
import { live } from "../crash/life.ts";
import { Shop } from "../crash/shop.ts";
import { moveBy, startWorld, type World } from "../crash/world.ts";
import { Random } from "../simulation/random.ts";
import { hasJava } from "../support/dynamodb-local.ts";
import { authinfo, standardSecret } from "../support/local.ts";

const seed = Number(process.env.CRASH_SEED ?? randomInt(2 ** 31));
const lives = 16;
const customers = 36;
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

// In CI it must run: without Java it fails there instead of being passed over.
const runs = hasJava() || process.env.CI === "true";

let deps: World;
beforeAll(async () => {
  if (runs) deps = await startWorld();
}, 60_000);
afterAll(() => deps?.stop());

test.runIf(runs)(
  "killed at any moment, the functions buy nothing twice and lose nothing",
  async () => {
    onTestFailed(() => console.error(`again: CRASH_SEED=${seed} npx vitest run test/end-to-end/crash.test.ts`));
    const random = new Random(seed);
    const shop = new Shop(customers, random.fork(), deps.clock);
    for (let n = 1; n <= lives; n++) {
      shop.open();
      await liveAndDie(shop, random);
      // Claims come to their deadlines and absences are proved in the short pauses, months end in the long ones.
      moveBy(deps.clock, n % 3 === 0 ? 10 * day : random.pick([2 * minute, 20 * minute, 2 * hour, day]));
    }
    await recover(shop);

    const { sandbox, clock } = deps;
    const table = createTable(deps.table.client, tableName);
    const { calls, callCount } = sandbox.snapshot();
    expect(calls).toHaveLength(callCount);
    expect(boughtTooMuch(sandbox.ledger(), shop.customers)).toEqual([]);
    expect(await lost(shop.webhooks, table)).toEqual([]);
    expect(await unlogged(calls, shop.customers, table)).toEqual([]);
    const told = deps.bus.taken.map(({ Detail }) => (JSON.parse(Detail) as { id: string }).id);
    expect(await untold(told, shop.customers, table)).toEqual([]);
    expect(await leaked(deps.table.client, [authinfo, authinfo.split(":")[1] ?? "", standardSecret])).toEqual([]);
    const { flaws, asked } = await disagreements(shop.customers, sandbox, table, dayOf(clock.now().toISOString()));
    expect(flaws).toEqual([]);
    expect(asked.length, asked.join("\n")).toBeLessThan(customers / 3);
  },
  180_000,
);

/** Killed when a call arrives at billmgr or has been answered, or else after a while. */
async function liveAndDie(shop: Shop, random: Random): Promise<void> {
  const { sandbox, billmgr } = deps;
  for (let i = random.int(0, 6); i > 0; i--) sandbox.plan(someFault(random));
  const life = await live(deps.told());
  const last = billmgr.calls() + random.int(1, 60);
  const when = random.pick(["arrival", "answer"]);
  billmgr.watch((call, at) => {
    if (call === last && at === when) life.kill();
  });
  setTimeout(life.kill, random.int(20, 2000));
  await shop.deliver(life.url, life.over);
  await life.ended;
  // What billmgr still does for the dead it does before the clock moves on.
  await new Promise((resolve) => setTimeout(resolve, lingersFor));
}

/** Without faults, and with all the time that is needed. */
async function recover(shop: Shop): Promise<void> {
  const { clock, queue, catalog, billmgr, secrets, publish } = deps;
  await billmgr.forgetFaults();
  const table = createTable(deps.table.client, tableName);
  const functions = startFunctions({
    table,
    queue,
    secrets,
    billmgr: billmgr.address,
    catalog,
    now: clock.now,
    log: { info() {}, warn() {}, error() {} },
    publish,
    scheduleEvery: hour,
  });
  const time = timeOf({ clock, table, queue, ...functions });
  const { advanceTo } = time;
  const door = await serve(createDoor({ webhook: functions.webhook, sandbox: undefined, clock, advanceTo, table }));
  shop.charge();
  await shop.deliver(door.url, new AbortController().signal);
  // What waits for a person is looked at again every ten minutes.
  for (let observations = 0; observations < 60; observations++)
    await advanceTo(new Date(clock.now().getTime() + 10 * minute));
  await functions.stop();
  await door.close();
}
