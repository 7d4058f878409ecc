import {
  GetSecretValueCommand,
  type GetSecretValueResponse,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from "@aws-sdk/client-secrets-manager";
import * as z from "zod/mini";
import { storefrontNames } from "../licensing/event.ts";
import { explain, InvalidDocument, suggest } from "../problems.ts";

const schema = z.strictObject({
  billmgr: z.string().check(z.refine((text) => /^[^:]+:.+$/s.test(text), { message: '"user:password"' })),
  storefronts: z._default(z.record(z.string(), z.array(z.string().check(z.minLength(1)))), {}),
});

/** `billmgr` is "user:password". Each secret of a storefront verifies its webhooks, so secrets can be rotated. */
export type Secrets = z.output<typeof schema>;

/** The secrets are missing or malformed. Never contains a value. */
export class SecretsError extends InvalidDocument {
  override name = "SecretsError";
  readonly code = "secrets_invalid";
}

/** @throws SecretsError */
export function parseSecrets(value: unknown): Secrets {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw new SecretsError(explain(schema, parsed.error.issues, value, { showValues: false }));
  const unknown = Object.keys(parsed.data.storefronts).filter(
    (name) => !storefrontNames.some((known) => known === name),
  );
  if (unknown.length > 0) {
    throw new SecretsError(
      unknown.map((name) => ({
        path: ["storefronts", maskName(name)],
        text: `is not a storefront${suggest(name, storefrontNames)}`,
      })),
    );
  }
  return parsed.data;
}

/** Someone may put a secret where a name belongs. */
const maskName = (name: string): string => (/^[a-z]{1,16}$/i.test(name) ? name : "…");

/** A changed secret takes effect within this time, without a deploy. */
const defaultMaxAgeSeconds = 30;

/**
 * For this long after a secret was put, the signing secrets of the previous version verify too: webhooks that were sent
 * just before carry their signatures. Svix and Stripe also accept an old secret for a day.
 */
const overlapHours = 24;

/** Returns a reader of the secret that caches it for `maxAgeSeconds`. It throws SecretsError if the secret is unusable. */
export function secretsIn(
  client: Pick<SecretsManagerClient, "send">,
  id: string,
  maxAgeSeconds = defaultMaxAgeSeconds,
): () => Promise<Secrets> {
  let cached: { until: number; secrets: Promise<Secrets> } | undefined;
  return () => {
    if (cached && Date.now() < cached.until) return cached.secrets;
    const fresh = { until: Date.now() + maxAgeSeconds * 1000, secrets: read(client, id) };
    cached = fresh;
    fresh.secrets.catch(() => {
      if (cached === fresh) cached = undefined;
    });
    return fresh.secrets;
  };
}

type Client = Pick<SecretsManagerClient, "send">;

async function read(client: Client, id: string): Promise<Secrets> {
  const { SecretString: text = "", CreatedDate: putAt } = (await versionOf(client, id, "AWSCURRENT")) ?? {};
  if (text.trim() === "")
    throw new SecretsError([], `the secret ${id} has no value; store the secrets as docs/deploy.md describes`);
  const secrets = parseSecrets(parseJson(text, id));
  if (putAt === undefined || Date.now() - putAt.getTime() > overlapHours * 3_600_000) return secrets;
  const previous = await versionOf(client, id, "AWSPREVIOUS");
  return previous?.SecretString ? withPrevious(secrets, previous.SecretString, id) : secrets;
}

/** Undefined if there is no such version: a new stack's secret has none, and its first value has no previous one. */
const versionOf = (
  client: Client,
  SecretId: string,
  VersionStage: string,
): Promise<GetSecretValueResponse | undefined> =>
  client.send(new GetSecretValueCommand({ SecretId, VersionStage })).catch((error: unknown) => {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  });

/** Adds the previous signing secrets. A storefront that is no longer listed gets none, so it is closed immediately. */
function withPrevious(secrets: Secrets, text: string, id: string): Secrets {
  let previous: Secrets;
  try {
    previous = parseSecrets(parseJson(text, id));
  } catch {
    // A malformed previous version must not block the valid current one.
    return secrets;
  }
  const storefronts = Object.entries(secrets.storefronts).map(([name, list]) => [
    name,
    list.length === 0 ? list : [...new Set([...list, ...(previous.storefronts[name] ?? [])])],
  ]);
  return { ...secrets, storefronts: Object.fromEntries(storefronts) };
}

function parseJson(text: string, id: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the secret, so it is not kept as the cause either.
    throw new SecretsError([], `the secret ${id} is not valid JSON; store it again`);
  }
}
