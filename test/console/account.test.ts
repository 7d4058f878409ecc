import { expect, test, vi } from "vitest";
import type { OperatorDependencies } from "../../operator/actions/dependencies.ts";
import { createAccount } from "../../operator/console/account.ts";

/** A table that cannot be read. */
async function failedBy(error: Error) {
  const table = { subscriptions: () => Promise.reject(error) };
  const account = createAccount({ table, now: () => new Date() } as unknown as OperatorDependencies);
  account.begin();
  return vi.waitFor(() => {
    const state = account.state();
    expect(state?.is).toBe("failed");
    return state;
  });
}

test("a comparison that failed tells the cause as it was told", async () => {
  const denied = Object.assign(new Error("no right to dynamodb:Scan"), {
    name: "AccessDeniedException",
    $metadata: {},
  });
  expect(await failedBy(denied)).toMatchObject({ why: "AWS: AccessDeniedException: no right to dynamodb:Scan" });
});

test("a fault of the page is not said to be the table's, and its terminal says where it is", async () => {
  const terminal = vi.spyOn(console, "error").mockImplementation(() => {});
  const fault = new TypeError("x is not a function");
  expect(await failedBy(fault)).toMatchObject({ why: "this page itself failed; its terminal says where" });
  expect(terminal).toHaveBeenCalledWith(fault);
  terminal.mockRestore();
});
