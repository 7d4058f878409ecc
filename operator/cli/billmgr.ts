import { breakerIn } from "../../shared/aws/breaker.ts";
import type { Secrets } from "../../shared/aws/secrets.ts";
import type { Table } from "../../shared/aws/table.ts";
import { type Billmgr, type CircuitBreaker, createBillmgr, type Reader } from "../../shared/billmgr/billmgr.ts";
import { postTo } from "../../shared/billmgr/transport.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";

type Parts = { url: string; secrets: () => Promise<Secrets>; table: Table; catalog: Catalog; now: () => Date };

/** billmgr as an operator's commands and pages call it. */
export const operatorsBillmgr = ({ url, secrets, table, catalog, now }: Parts): Billmgr & Reader =>
  createBillmgr(postTo(url), async () => (await secrets()).billmgr, {
    breaker: brakeOfOwn(
      (reason) => breakerIn(table, now, toStderr).trip(reason),
      async () => (await table.halt()) !== undefined,
    ),
    fundsErrors: catalog.billmgr.fundsErrors,
  });

/**
 * A halt stops the system and not the person who looks for its cause: whether a new password is let in has to be tried
 * before the halt is lifted. A refusal halts the system, and whoever was refused, as long as that halt stands.
 */
export function brakeOfOwn(
  pull: CircuitBreaker["trip"] = async () => {},
  stands = async (): Promise<boolean> => true,
): CircuitBreaker {
  let pulled: string | undefined;
  return {
    tripReason: async () => {
      if (pulled !== undefined && !(await stands())) pulled = undefined;
      return pulled;
    },
    trip: async (why) => {
      await pull(why);
      pulled ??= why;
    },
  };
}

const toStderr = {
  info() {},
  warn() {},
  error: (message: string, { reason }: Record<string, unknown>) => console.error(`${message}: ${reason}`),
};
