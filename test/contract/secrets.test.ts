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

describe("during a rotation", () => {
  test("the previous secret verifies for a day, after the new one", async () => {
    put(written({ stripe: [old] }), 1000);
    put(written({ stripe: [fresh] }), 23);
    expect((await read()).storefronts).toEqual({ stripe: [fresh, old] });
  });

  test("after a day the previous secret is not even read", async () => {
    put(written({ stripe: [old] }), 1000);
    put(written({ stripe: [fresh] }), 25);
    expect((await read()).storefronts).toEqual({ stripe: [fresh] });
    expect(asked).toEqual(["AWSCURRENT"]);
  });

  test("a secret that was put twice is listed once", async () => {
    put(written({ stripe: [old] }), 2);
    put(written({ stripe: [fresh] }), 1);
    put(written({ stripe: [fresh] }), 0);
    expect((await read()).storefronts).toEqual({ stripe: [fresh] });
  });

  test("a storefront that is no longer listed, or has no secret, is disabled immediately", async () => {
    put(written({ stripe: [old], paddle: [old], standard: [standardSecretOf("old")] }), 1000);
    put(written({ stripe: [fresh], paddle: [] }), 0);
    expect((await read()).storefronts).toEqual({ stripe: [fresh, old], paddle: [] });
  });

  test("billmgr gets only the new password, because a wrong one could lock the account", async () => {
    put(written({}, ":before"), 1000);
    put(written({}), 0);
    expect((await read()).billmgr).toBe(authinfoWith(":now"));
  });

  test.each(["", "{", '{"billmgr": "no login"}'])("a malformed previous version is ignored: %j", async (text) => {
    put(text, 1000);
    put(written({ stripe: [fresh] }), 0);
    expect((await read()).storefronts).toEqual({ stripe: [fresh] });
  });
});

test("the first version has no previous one", async () => {
  put(written({ stripe: [fresh] }), 0);
  expect((await read()).storefronts).toEqual({ stripe: [fresh] });
  expect(asked).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
});

test("a secret without a value is an error until it has one", async () => {
  await expect(read()).rejects.toThrow(SecretsError);
  put(" ", 0);
  await expect(read()).rejects.toThrow("the secret secret has no value");
  put("{", 0);
  await expect(read()).rejects.toThrow("the secret secret is not valid JSON");
  put(written({ stripe: [fresh] }), 0);
  expect((await read()).storefronts).toEqual({ stripe: [fresh] });
});

test("concurrent readers share one request, and a failure is not cached", async () => {
  const client = new SecretsManagerClient({ region: "us-east-1" });
  let times = 0;
  let fails = true;
  const send = async () => {
    times++;
    if (fails) throw new Error("throttled");
    return { SecretString: written({}) };
  };
  const cached = secretsIn({ send: send as typeof client.send }, "secret", 60);
  await expect(cached()).rejects.toThrow("throttled");
  fails = false;
  await Promise.all([cached(), cached(), cached()]);
  await cached();
  expect(times).toBe(2);
});
