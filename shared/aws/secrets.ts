import {
  GetSecretValueCommand,
  type GetSecretValueResponse,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
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

/**
 * So long after a secret was put, the signing secrets of the one before it verify too: webhooks that are under way then were
 * signed with those. Svix and Stripe let an old secret overlap for a day.
 */
const overlapHours = 24;

/** Reads the secret by id, kept for half a minute. @throws SecretsError where it is not filled in or not as expected */
export function secretsIn(
  client: Pick<SecretsManagerClient, "send">,
  id: string,
  maxAge = keptSeconds,
): () => Promise<Secrets> {
  let kept: { until: number; secrets: Promise<Secrets> } | undefined;
  return () => {
    if (kept && Date.now() < kept.until) return kept.secrets;
    const reading = { until: Date.now() + maxAge * 1000, secrets: read(client, id) };
    kept = reading;
    reading.secrets.catch(() => {
      if (kept === reading) kept = undefined;
    });
    return reading.secrets;
  };
}

type Client = Pick<SecretsManagerClient, "send">;

async function read(client: Client, id: string): Promise<Secrets> {
  const { SecretString: text = "", CreatedDate: putAt } = (await versionOf(client, id, "AWSCURRENT")) ?? {};
  if (text.trim() === "") throw new SecretsError(`the secret ${id} is not filled in`);
  const secrets = parseSecrets(parseJson(text, id));
  if (putAt === undefined || Date.now() - putAt.getTime() > overlapHours * 3_600_000) return secrets;
  const before = await versionOf(client, id, "AWSPREVIOUS");
  return before?.SecretString ? withEarlier(secrets, before.SecretString, id) : secrets;
}

/** A secret that the stack created and nobody has filled in has no version, and the first one has none before it. */
const versionOf = (
  client: Client,
  SecretId: string,
  VersionStage: string,
): Promise<GetSecretValueResponse | undefined> =>
  client.send(new GetSecretValueCommand({ SecretId, VersionStage })).catch((error: unknown) => {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  });

/** A storefront that is not listed any more is closed at once. */
function withEarlier(secrets: Secrets, text: string, id: string): Secrets {
  let earlier: Secrets;
  try {
    earlier = parseSecrets(parseJson(text, id));
  } catch {
    // What was mistaken before is no reason to refuse what is right now.
    return secrets;
  }
  const storefronts = Object.entries(secrets.storefronts).map(([name, list]) => [
    name,
    list.length === 0 ? list : [...new Set([...list, ...(earlier.storefronts[name] ?? [])])],
  ]);
  return { ...secrets, storefronts: Object.fromEntries(storefronts) };
}

function parseJson(text: string, id: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would quote the secret.
    throw new SecretsError(`the secret ${id} is not JSON`);
  }
}
