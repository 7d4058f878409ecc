import { expect, test, vi } from "vitest";
import type { OperatorDependencies } from "../../operator/actions/dependencies.ts";
import { createComparisonRunner } from "../../operator/console/comparison.ts";

/** Runs a comparison on a table that cannot be read. */
async function comparisonFailingWith(error: Error) {
  const table = { subscriptions: () => Promise.reject(error) };
  const runner = createComparisonRunner({ table, now: () => new Date() } as unknown as OperatorDependencies);
  runner.start();
  return vi.waitFor(() => {
    const comparison = runner.current();
    expect(comparison?.kind).toBe("failed");
    return comparison;
  });
}

test("a failed comparison shows the cause that AWS reports", async () => {
  const denied = Object.assign(new Error("not authorized to perform dynamodb:Scan"), {
    name: "AccessDeniedException",
    $metadata: {},
  });
  expect(await comparisonFailingWith(denied)).toMatchObject({
    why: "AWS: AccessDeniedException: not authorized to perform dynamodb:Scan",
  });
});

test("an internal error is logged, and the page points to the terminal", async () => {
  const terminal = vi.spyOn(console, "error").mockImplementation(() => {});
  const fault = new TypeError("x is not a function");
  expect(await comparisonFailingWith(fault)).toMatchObject({
    why: "internal error; the terminal of the console shows it",
  });
  expect(terminal).toHaveBeenCalledWith(fault);
  terminal.mockRestore();
});
