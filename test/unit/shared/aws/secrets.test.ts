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

test("secrets are read, the password with its colons", () => {
  const secrets = {
    billmgr: authinfoWith(":word"),
    storefronts: { stripe: [plainSecretOf("new"), plainSecretOf("old")] },
  };
  expect(parseSecrets(secrets)).toEqual(secrets);
  expect(parseSecrets({ billmgr: "a:b" })).toEqual({ billmgr: "a:b", storefronts: {} });
});

describe("an error names the path and what was expected", () => {
  test.each([
    ["nothing", undefined, "(top): missing, expected an object"],
    ["no login", {}, "billmgr: missing, expected a string"],
    ["a login without a password", { billmgr: canary }, 'billmgr: found text, expected "user:password"'],
    [
      "a secret that is no list",
      { billmgr: "a:b", storefronts: { stripe: plainSecretOf("1") } },
      "storefronts.stripe: found text, expected an array",
    ],
    [
      "an empty secret",
      { billmgr: "a:b", storefronts: { stripe: [""] } },
      "storefronts.stripe[0]: found text, expected some text",
    ],
    [
      "an unknown storefront",
      { billmgr: "a:b", storefronts: { strip: [] } },
      'storefronts.strip: no such storefront, did you mean "stripe"?',
    ],
    [
      "an unknown setting",
      { billmgr: "a:b", storefront: {} },
      'storefront: no such setting, did you mean "storefronts"?',
    ],
  ])("%s", (_, value, message) => {
    expect(problemsOf(value)).toBe(message);
  });
});

describe("an error never holds a value", () => {
  test.each([
    ["a password without a user", { billmgr: canary }],
    ["a password that is a number", { billmgr: 48_151_623 }],
    ["a secret that is a number", { billmgr: "a:b", storefronts: { stripe: [48_151_623] } }],
    ["a secret that is no list", { billmgr: "a:b", storefronts: { stripe: canary } }],
    ["a list in place of a login", { billmgr: [canary] }],
    ["text in place of everything", canary],
  ])("%s", (_, value) => {
    expect(problemsOf(value)).not.toBe("");
    expect(problemsOf(value)).not.toMatch(new RegExp(`${canary}|48151623`));
  });
});
