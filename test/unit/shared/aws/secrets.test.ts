import { describe, expect, test } from "vitest";
import { parseSecrets, SecretsError } from "../../../../shared/aws/secrets.ts";
import { authinfoWith, canary, plainSecretOf } from "../../../support/secrets.ts";

const problemsOf = (value: unknown): string => {
  try {
    parseSecrets(value);
  } catch (error) {
    if (error instanceof SecretsError) return error.message;
    throw error;
  }
  return "";
};

test("the password may contain colons", () => {
  const secrets = {
    billmgr: authinfoWith(":word"),
    storefronts: { stripe: [plainSecretOf("new"), plainSecretOf("old")] },
  };
  expect(parseSecrets(secrets)).toEqual(secrets);
  expect(parseSecrets({ billmgr: "a:b" })).toEqual({ billmgr: "a:b", storefronts: {} });
});

describe("an error contains the path and the expectation", () => {
  test.each([
    ["nothing", undefined, "the value is missing; expected an object"],
    ["no login", {}, "billmgr is missing; expected a string"],
    ["a login without a password", { billmgr: canary }, 'billmgr is a string; expected "user:password"'],
    [
      "a secret that is not an array",
      { billmgr: "a:b", storefronts: { stripe: plainSecretOf("1") } },
      "storefronts.stripe is a string; expected an array",
    ],
    [
      "an empty secret",
      { billmgr: "a:b", storefronts: { stripe: [""] } },
      "storefronts.stripe[0] is a string; expected a non-empty string",
    ],
    [
      "an unknown storefront",
      { billmgr: "a:b", storefronts: { strip: [] } },
      'storefronts.strip is not a storefront; did you mean "stripe"?',
    ],
    [
      "an unknown setting",
      { billmgr: "a:b", storefront: {} },
      'storefront is not a setting; did you mean "storefronts"?',
    ],
  ])("%s", (_, value, message) => {
    expect(problemsOf(value)).toBe(message);
  });
});

describe("an error never contains a value", () => {
  test.each([
    ["a password without a user", { billmgr: canary }],
    ["a password that is a number", { billmgr: 48_151_623 }],
    ["a secret that is a number", { billmgr: "a:b", storefronts: { stripe: [48_151_623] } }],
    ["a secret that is not an array", { billmgr: "a:b", storefronts: { stripe: canary } }],
    ["an array in place of a login", { billmgr: [canary] }],
    ["text in place of everything", canary],
  ])("%s", (_, value) => {
    expect(problemsOf(value)).not.toBe("");
    expect(problemsOf(value)).not.toMatch(new RegExp(`${canary}|48151623`));
  });
});
