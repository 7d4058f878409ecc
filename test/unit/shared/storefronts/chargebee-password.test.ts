import { describe, expect, test } from "vitest";
import { basic } from "../../../../local/simulators/storefronts/signing.ts";
import { chargebee } from "../../../../shared/storefronts/chargebee.ts";
import { authinfoWith } from "../../../support/secrets.ts";

describe("user and password", () => {
  const secret = authinfoWith(":word");
  const verify = (authorization: string | undefined, secrets = [secret]) =>
    chargebee.verify({ headers: { authorization }, body: Buffer.from("{}") }, secrets, () => false);

  test.each([
    ["the secret", basic(secret), [secret]],
    ["one of several", basic(secret), [authinfoWith("-of-old"), secret]],
    ["letters beyond ASCII", basic("Jiří:žluťoučký"), ["Jiří:žluťoučký"]],
    ["another case of the word", basic(secret).replace("Basic", "basic "), [secret]],
    ["a known value", "Basic dXNlcjpwYXNzOndvcmQ=", ["user:pass:word"]],
  ])("are accepted: %s", (_, header, secrets) => {
    expect(verify(header, secrets)).toBeUndefined();
  });

  test.each([
    ["another password", basic(authinfoWith(":worD")), /match not the secret$/],
    ["a longer password", basic(`${secret} `), /match not the secret$/],
    ["a part of it", basic(authinfoWith()), /match not/],
    ["none", basic(""), /needs the header Authorization/],
    ["another scheme", `Bearer ${basic(secret).slice(6)}`, /needs the header/],
    ["another scheme before it", `x ${basic(secret)}`, /needs the header/],
    ["no base64", "Basic user:pass:word", /needs the header/],
    ["no header", undefined, /needs the header/],
  ])("are refused: %s", (_, header, reason) => {
    expect(verify(header)).toMatch(reason);
  });

  test("that do not match are not quoted, nor are the secrets", () => {
    const response = verify(basic(authinfoWith("-wrong")), [authinfoWith("-of-old"), secret]);
    expect(response).toBe("user and password match none of the 2 secrets");
  });

  test("are refused if no secret is configured", () => {
    expect(verify(basic(""), [])).toBeTypeOf("string");
    expect(verify(basic("a:b"), [])).toBeTypeOf("string");
  });

  test.each([
    ["user:12345678", undefined],
    ["user:123:5678", undefined],
    ["user:pass:word", undefined],
    ["user:pw", undefined],
    ["no password at all", /not "user:password"/],
    [":12345678", /not "user:password"/],
    ["", /not "user:password"/],
  ])("are accepted as the secret %j, or refused with a reason", (secret, flaw) => {
    if (flaw) expect(chargebee.secretProblem(secret)).toMatch(flaw);
    else expect(chargebee.secretProblem(secret)).toBeUndefined();
  });
});
