import { expect, test } from "vitest";
import { brakeOfOwn } from "../../../../operator/cli/billmgr.ts";

test("whoever was refused is not let try again while the halt stands that the refusal made, and is after that", async () => {
  let halted: string | undefined;
  const brake = brakeOfOwn(
    async (why) => {
      halted ??= why;
    },
    async () => halted !== undefined,
  );
  expect(await brake.pulled()).toBeUndefined();
  await brake.pull("a wrong password");
  await brake.pull("again");
  expect([halted, await brake.pulled()]).toEqual(["a wrong password", "a wrong password"]);
  halted = undefined;
  expect(await brake.pulled()).toBeUndefined();
});

test("a halt of others stops no operator", async () => {
  const brake = brakeOfOwn(
    async () => {},
    async () => true,
  );
  expect(await brake.pulled()).toBeUndefined();
});
