import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { beforeEach, describe, expect, test } from "vitest";
import { serveSecrets } from "../../local/secrets.ts";
import { type Secrets, SecretsError, secretsIn } from "../../shared/aws/secrets.ts";
import { authinfoWith, plainSecretOf, standardSecretOf } from "../support/secrets.ts";

type Version = { text: string; putAt: Date };

const hour = 3_600_000;
const [fresh, old] = [plainSecretOf("new"), plainSecretOf("old")];
const written = (storefronts: Secrets["storefronts"], password = ":now") =>
  JSON.stringify({ billmgr: authinfoWith(password), storefronts });

let versions: Record<string, Version>;
let asked: string[];
let read: () => Promise<Secrets>;

beforeEach(async () => {
  versions = {};
  asked = [];
  const server = await serveSecrets((stage) => {
    asked.push(stage);
    const version = versions[stage];
    if (!version) throw new Error(`no version ${stage}`);
    return version;
  });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new SecretsManagerClient({ endpoint: server.url, region: "us-east-1", credentials });
  read = secretsIn(client, "secret", 0);
  return async () => {
    client.destroy();
    await server.close();
  };
});

const put = (text: string, hoursAgo: number) => {
  if (versions.AWSCURRENT) versions.AWSPREVIOUS = versions.AWSCURRENT;
  versions.AWSCURRENT = { text, putAt: new Date(Date.now() - hoursAgo * hour) };
};

describe("while a secret is rotated", () => {
  test("the one before it verifies too, after the new one, for a day", async () => {
    put(written({ stripe: [old] }), 1000);
    put(written({ stripe: [fresh] }), 23);
    expect((await read()).storefronts).toEqual({ stripe: [fresh, old] });
  });

  test("after that day it does not, and is not even read", async () => {
    put(written({ stripe: [old] }), 1000);
    put(written({ stripe: [fresh] }), 25);
    expect((await read()).storefronts).toEqual({ stripe: [fresh] });
    expect(asked).toEqual(["AWSCURRENT"]);
  });

  test("put twice, the new one stands alone", async () => {
    put(written({ stripe: [old] }), 2);
    put(written({ stripe: [fresh] }), 1);
    put(written({ stripe: [fresh] }), 0);
    expect((await read()).storefronts).toEqual({ stripe: [fresh] });
  });

  test("a storefront that is not listed any more, or has none, is closed at once", async () => {
    put(written({ stripe: [old], paddle: [old], standard: [standardSecretOf("old")] }), 1000);
    put(written({ stripe: [fresh], paddle: [] }), 0);
    expect((await read()).storefronts).toEqual({ stripe: [fresh, old], paddle: [] });
  });

  test("billmgr is called with the new password alone: another one could lock the account", async () => {
    put(written({}, ":before"), 1000);
    put(written({}), 0);
    expect((await read()).billmgr).toBe(authinfoWith(":now"));
  });

  test.each(["", "{", '{"billmgr": "no login"}'])("the one before it may have been mistaken: %j", async (text) => {
    put(text, 1000);
    put(written({ stripe: [fresh] }), 0);
    expect((await read()).storefronts).toEqual({ stripe: [fresh] });
  });
});

test("the first one has none before it", async () => {
  put(written({ stripe: [fresh] }), 0);
  expect((await read()).storefronts).toEqual({ stripe: [fresh] });
  expect(asked).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
});

test("one that nobody has filled in is said to be so, and is read as soon as it is", async () => {
  await expect(read()).rejects.toThrow(new SecretsError("the secret secret is not filled in"));
  put(" ", 0);
  await expect(read()).rejects.toThrow("the secret secret is not filled in");
  put("{", 0);
  await expect(read()).rejects.toThrow(new SecretsError("the secret secret is not JSON"));
  put(written({ stripe: [fresh] }), 0);
  expect((await read()).storefronts).toEqual({ stripe: [fresh] });
});

test("it is read once for all who ask at a time, and a failure is not kept", async () => {
  const client = new SecretsManagerClient({ region: "us-east-1" });
  let times = 0;
  let fails = true;
  const send = async () => {
    times++;
    if (fails) throw new Error("throttled");
    return { SecretString: written({}) };
  };
  const kept = secretsIn({ send: send as typeof client.send }, "secret", 60);
  await expect(kept()).rejects.toThrow("throttled");
  fails = false;
  await Promise.all([kept(), kept(), kept()]);
  await kept();
  expect(times).toBe(2);
});
