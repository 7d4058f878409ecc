import type { Table } from "../../shared/aws/table.ts";
import type { Brake } from "../../shared/billmgr/billmgr.ts";
import { toInstant } from "../../shared/licensing/time.ts";
import type { Log } from "../log.ts";

/** Kept in the table, for all workers; only an operator lifts it. */
export const brakeIn = (table: Pick<Table, "halt" | "setHalt">, now: () => Date, log: Log): Brake => ({
  pulled: async () => (await table.halt())?.reason,
  async pull(reason) {
    log.error("all calls are halted", { reason });
    await table.setHalt({ since: toInstant(now()), reason });
  },
});
