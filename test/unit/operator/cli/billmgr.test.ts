import { expect, test } from "vitest";
import { brakeOfOwn } from "../../../../operator/cli/billmgr.ts";

test("whoever was refused is not let try again while the halt stands that the refusal made, and is after that", async () => {
  let halted: string | undefined;
  const breaker = brakeOfOwn(
    async (why) => {
      halted ??= why;
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

test("a halt of others stops no operator", async () => {
  const breaker = brakeOfOwn(
    async () => {},
    async () => true,
  );
  expect(await breaker.tripReason()).toBeUndefined();
});
