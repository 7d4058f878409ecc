import type { Secrets } from "../../shared/aws/secrets.ts";
import { pack } from "../../shared/intake/body-codec.ts";
import type { Send } from "../../shared/intake/message.ts";
import { enqueue } from "../../shared/intake/messages.ts";
import type { Log } from "../../shared/observability/log.ts";
import type { Metrics } from "../../shared/observability/metrics.ts";
import { parseJson } from "../../shared/storefronts/bodies.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import type { FreshnessCheck, SignedRequest, Storefront } from "../../shared/storefronts/storefront.ts";

export type Request = {
  method: string;
  path: string;
  /** Header names in any case. */
  headers: Record<string, string | undefined>;
  body: Buffer;
};

export type Response = { status: number; body: Record<string, unknown>; headers?: Record<string, string> };

export type ReceiveDependencies = {
  secrets: () => Promise<Secrets>;
  send: Send;
  isFresh: FreshnessCheck;
  now: () => Date;
  log: Log;
  metrics: Metrics;
};

export const maxBodyBytes = 1024 * 1024;

/**
 * Verifies a webhook, stores it in the queue, and only then answers 200. A storefront sends a webhook again after any other
 * answer, and after a while it gives up or disables the endpoint. So a webhook that it cannot fix is answered 200 too.
 */
export async function receive(request: Request, deps: ReceiveDependencies): Promise<Response> {
  const { path } = request;
  if (path === "/health") return { status: 200, body: { status: "ok" } };
  const [, name = ""] = /^\/webhooks\/([^/]+)\/?$/.exec(path) ?? [];
  const storefront = storefrontNamed(name);
  if (!storefront) return refuse(404, "unknown storefront");
  const response = await respond(request, storefront, deps);
  deps.metrics.put("Webhooks", 1, { storefront: name, answer: String(response.status) });
  if (response.status === 401) deps.metrics.put("SignatureFailures", 1);
  return response;
}

async function respond(request: Request, storefront: Storefront, deps: ReceiveDependencies): Promise<Response> {
  const { name } = storefront;
  let secrets: readonly string[];
  try {
    const all = (await deps.secrets()).storefronts;
    secrets = (Object.hasOwn(all, name) ? (all[name] ?? []) : []).filter((secret, index) => {
      const problem = storefront.secretProblem(secret);
      if (problem) deps.log.error("a signing secret is invalid and is not used", { storefront: name, index, problem });
      return !problem;
    });
  } catch (error) {
    deps.log.error("secrets could not be read", { storefront: name, error: messageOf(error) });
    return refuse(503, "the signing secrets cannot be read; send the webhook again later");
  }
  if (secrets.length === 0) return refuse(404, `no signing secret is configured for ${name}`);
  if (request.method !== "POST") return { ...refuse(405, "the method must be POST"), headers: { allow: "POST" } };
  if (request.body.length > maxBodyBytes) return refuse(413, "the body is larger than 1 MiB");

  const signed: SignedRequest = { headers: lowerCased(request.headers), body: request.body };
  if (storefront.isPing?.(signed)) return { status: 200, body: { status: "nothing to do" } };
  const problem = storefront.verify(signed, secrets, deps.isFresh);
  if (problem) {
    deps.log.warn("webhook refused", { storefront: name, reason: problem });
    return refuse(401, problem);
  }
  return accept(storefront, signed, deps);
}

async function accept(storefront: Storefront, request: SignedRequest, deps: ReceiveDependencies): Promise<Response> {
  const text = request.body.toString("utf8");
  const body = (storefront.parse ?? parseJson)(text);
  if (body === undefined) return refuse(400, "the body is not valid JSON");
  const packed = pack(text);
  if (packed === undefined) return refuse(413, "the body is too large to store, even compressed");
  try {
    await enqueue(storefront, { body, headers: request.headers, packed }, deps);
  } catch (error) {
    deps.log.error("webhook could not be queued", { storefront: storefront.name, error: messageOf(error) });
    return refuse(503, "the webhook could not be stored; send it again later");
  }
  return { status: 200, body: { status: "accepted" } };
}

const lowerCased = (headers: Request["headers"]): SignedRequest["headers"] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const refuse = (status: number, error: string): Response => ({ status, body: { error } });

const messageOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
