import { expect, test } from "vitest";
import { createOperatorBreaker } from "../../../../operator/cli/billmgr.ts";

test("after a refusal, no further call is made until the halt is lifted", async () => {
  let halted: string | undefined;
  const breaker = createOperatorBreaker(
    async (reason) => {
      halted ??= reason;
    },
    async () => halted !== undefined,
  );
  expect(await breaker.tripReason()).toBeUndefined();
  await breaker.trip("a wrong password");
  await breaker.trip("again");
  expect([halted, await breaker.tripReason()]).toEqual(["a wrong password", "a wrong password"]);
  halted = undefined;
  expect(await breaker.tripReason()).toBeUndefined();
});

test("a halt made by others does not stop the operator", async () => {
  const breaker = createOperatorBreaker(
    async () => {},
    async () => true,
  );
  expect(await breaker.tripReason()).toBeUndefined();
});
