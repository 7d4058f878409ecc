import { SecretsProvider } from "@aws-lambda-powertools/parameters/secrets";
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod/mini";
import { storefrontNames } from "../licensing/event.ts";
import { explain, suggest } from "../problems.ts";

const schema = z.strictObject({
  billmgr: z.string().check(z.regex(/^[^:]+:.+$/s)),
  storefronts: z._default(z.record(z.string(), z.array(z.string().check(z.minLength(1)))), {}),
});

/** `billmgr` is "user:password"; of a storefront's secrets any one verifies, so that they can be rotated. */
export type Secrets = z.output<typeof schema>;

export class SecretsError extends Error {
  override name = "SecretsError";
}

/** @throws SecretsError naming each path and what was expected, never a value */
export function parseSecrets(value: unknown): Secrets {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) {
    const problems = explain(schema, parsed.error.issues, value, { showValues: false });
    throw new SecretsError(problems.join("\n").replace("text like /^[^:]+:.+$/s", '"user:password"'));
  }
  const unknown = Object.keys(parsed.data.storefronts).filter(
    (name) => !storefrontNames.some((known) => known === name),
  );
  if (unknown.length > 0) {
    throw new SecretsError(
      unknown
        .map((name) => `storefronts.${shown(name)}: no such storefront${suggest(name, storefrontNames)}`)
        .join("\n"),
    );
  }
  return parsed.data;
}

/** A secret in the place of a name is a secret all the same. */
const shown = (name: string): string => (/^[a-z]{1,16}$/i.test(name) ? name : "…");

/** A changed secret is in use within this time, without a deploy. */
const keptSeconds = 30;

/** Reads the secret by id, kept for half a minute. @throws SecretsError where it is not filled in or not as expected */
export function secretsIn(client: SecretsManagerClient, id: string, maxAge = keptSeconds): () => Promise<Secrets> {
  const provider = new SecretsProvider({ awsSdkV3Client: client });
  return async () => {
    const text = await provider.get(id, { maxAge }).catch((error: Error) => {
      // A secret that the stack created and nobody has filled in has no version.
      const { name } = (error.cause ?? error) as Error;
      if (name === "ResourceNotFoundException") return undefined;
      throw error;
    });
    if (typeof text !== "string" || text.trim() === "") throw new SecretsError(`the secret ${id} is not filled in`);
    return parseSecrets(parseJson(text, id));
  };
}

function parseJson(text: string, id: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would quote the secret.
    throw new SecretsError(`the secret ${id} is not JSON`);
  }
}
