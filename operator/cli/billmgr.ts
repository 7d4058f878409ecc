/** billmgr as the operator's commands and console call it. */
import { breakerIn } from "../../shared/aws/breaker.ts";
import type { Secrets } from "../../shared/aws/secrets.ts";
import type { Table } from "../../shared/aws/table.ts";
import { type Billmgr, type CircuitBreaker, createBillmgr, type Reader } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";

type BillmgrDependencies = {
  url: string;
  secrets: () => Promise<Secrets>;
  table: Table;
  catalog: Catalog;
  now: () => Date;
};

export const operatorsBillmgr = ({ url, secrets, table, catalog, now }: BillmgrDependencies): Billmgr & Reader =>
  createBillmgr(postTo(url), async () => (await secrets()).billmgr, {
    breaker: createOperatorBreaker(
      (reason) => breakerIn(table, now, errorsToStderr).trip(reason),
      async () => (await table.halt()) !== undefined,
    ),
    fundsErrors: catalog.billmgr.fundsErrors,
  });

/**
 * A circuit breaker that ignores the system's halt until this process itself is refused. An operator must be able to test
 * a new password before the halt is lifted. A refusal halts the system, and stops this process while that halt lasts.
 */
export function createOperatorBreaker(
  haltSystem: CircuitBreaker["trip"] = async () => {},
  isHalted = async (): Promise<boolean> => true,
): CircuitBreaker {
  let tripReason: string | undefined;
  return {
    tripReason: async () => {
      if (tripReason !== undefined && !(await isHalted())) tripReason = undefined;
      return tripReason;
    },
    trip: async (reason) => {
      await haltSystem(reason);
      tripReason ??= reason;
    },
  };
}

const errorsToStderr = {
  info() {},
  warn() {},
  error: (message: string, { reason }: Record<string, unknown>) => console.error(`${message}: ${reason}`),
};
