import type { AnnounceDependencies } from "../../functions/announce/announce.ts";
import type { createHandler } from "../../functions/provision/handler.ts";
import type { ProvisionDependencies } from "../../functions/provision/provision.ts";
import type { ReceiveDependencies } from "../../functions/webhook/receive.ts";
import type { Table } from "../../shared/aws/table.ts";
import type { Billmgr } from "../../shared/billmgr/billmgr.ts";
import { noMetrics } from "../../shared/observability/metrics.ts";
import { freshAt } from "../../shared/storefronts/signatures.ts";
import { authinfo, testCatalog } from "./local.ts";
import { watchedLog } from "./log.ts";
import { signers } from "./signers.ts";

/** Everything that any function depends on. */
export type Dependencies = ReceiveDependencies &
  ProvisionDependencies &
  Parameters<typeof createHandler>[0] &
  AnnounceDependencies;

type Overrides = Omit<Partial<Dependencies>, "table" | "billmgr"> & {
  table?: Partial<Table>;
  billmgr?: Partial<Billmgr>;
};

/** A dependency with only the given methods. A call of another method fails the test. */
const partOf = <T extends object>(name: string, given: Partial<T> = {}): T =>
  new Proxy(given, {
    get: (target, key, receiver) => {
      if (key in target || typeof key === "symbol") return Reflect.get(target, key, receiver);
      throw new Error(`the test gives no ${name}.${key}`);
    },
  }) as T;

/** The dependencies of the functions: `overrides`, and defaults that do nothing or accept the tests' signatures. */
export function dependenciesOf({ table, billmgr, ...overrides }: Overrides = {}): Dependencies {
  const now = overrides.now ?? (() => new Date("2026-11-23T08:00:00Z"));
  return {
    table: partOf<Table>("table", table),
    billmgr: partOf<Billmgr>("billmgr", billmgr),
    catalog: testCatalog(),
    secrets: async () => ({
      billmgr: authinfo,
      storefronts: Object.fromEntries(Object.entries(signers).map(([name, { secret }]) => [name, [secret]])),
    }),
    send: async () => {},
    returnSoon: async () => {},
    publish: async () => [],
    isFresh: freshAt(() => now().getTime()),
    now,
    log: watchedLog(),
    metrics: noMetrics,
    timeLeft: () => 180_000,
    ...overrides,
  };
}
