import { expect, test } from "vitest";
import { operatorMessage } from "../../../operator/actions/operator-message.ts";
import { NewerItem } from "../../../shared/aws/items.ts";
import { SecretsError } from "../../../shared/aws/secrets.ts";
import { UsageError } from "../../../shared/command-line/usage-error.ts";
import { ExpectedError, PreconditionFailed, ReadError, VersionConflict } from "../../../shared/errors.ts";
import { CatalogError } from "../../../shared/licensing/catalog.ts";

const cause = new Error("the cause");
const errors = [
  new UsageError("m", { cause }),
  new PreconditionFailed("m", { cause }),
  new VersionConflict("m", { cause }),
  new ReadError("m", { type: "auth" }, { cause }),
  new NewerItem("m", { cause }),
  new SecretsError([], "m"),
  new CatalogError([], "m"),
];

test.each(errors)("$name is an expected error with a code", (error) => {
  expect(error).toBeInstanceOf(ExpectedError);
  expect(error.name).toBe(error.constructor.name);
  expect(error.code).toMatch(/^[a-z]+(_[a-z]+)*$/);
});

test("no two kinds of errors share a code", () => {
  expect(new Set(errors.map(({ code }) => code)).size).toBe(errors.length);
});

test.each(errors.slice(0, 5))("$name keeps its cause", (error) => {
  expect(error.cause).toBe(cause);
});

test("the operator sees the messages of expected errors and of AWS, but not of faults", () => {
  for (const error of errors) expect(operatorMessage(error)).toBe("m");
  const denied = Object.assign(new Error("not authorized"), { name: "AccessDeniedException", $metadata: {} });
  expect(operatorMessage(denied)).toBe("AWS: AccessDeniedException: not authorized");
  for (const fault of [new TypeError("x is undefined"), "text", undefined]) {
    expect(operatorMessage(fault)).toBeUndefined();
  }
});
