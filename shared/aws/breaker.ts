import type { CircuitBreaker } from "../billmgr/billmgr.ts";
import { toInstant } from "../licensing/time.ts";
import type { Log } from "../observability/log.ts";
import type { Table } from "./table.ts";

/** The circuit breaker, stored in the table so that it stops all workers. Only an operator resets it. */
export const breakerIn = (table: Pick<Table, "halt" | "setHalt">, now: () => Date, log: Log): CircuitBreaker => ({
  tripReason: async () => (await table.halt())?.reason,
  async trip(reason) {
    log.error("all calls are halted", { reason });
    await table.setHalt({ since: toInstant(now()), reason });
  },
});
