import type { Brake } from "../billmgr/billmgr.ts";
import { toInstant } from "../licensing/time.ts";
import type { Log } from "../observability/log.ts";
import type { Table } from "./table.ts";

/** Kept in the table, for all workers; only an operator lifts it. */
export const brakeIn = (table: Pick<Table, "halt" | "setHalt">, now: () => Date, log: Log): Brake => ({
  pulled: async () => (await table.halt())?.reason,
  async pull(reason) {
    log.error("all calls are halted", { reason });
    await table.setHalt({ since: toInstant(now()), reason });
  },
});
