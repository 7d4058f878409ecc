import type { EventBridgeEvent } from "aws-lambda";
import { pack } from "../../shared/intake/body-codec.ts";
import { type EnqueueDependencies, enqueue } from "../../shared/intake/messages.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import { partners } from "../../shared/storefronts/partners.ts";

/**
 * Queues a partner's event like a webhook. The event is trusted because of its source: only the partner can publish on the
 * bus that is associated with it. Failed events are retried, then moved to the dead-letter queue.
 * @param sources the storefront of each event source
 */
export const createHandler =
  (sources: Readonly<Record<string, string>>, dependencies: EnqueueDependencies) =>
  async ({
    id,
    source,
    detail,
  }: Pick<EventBridgeEvent<string, unknown>, "id" | "source" | "detail">): Promise<void> => {
    const name = Object.hasOwn(sources, source) ? (sources[source] ?? "") : "";
    const storefront = storefrontNamed(name);
    const partner = partners[name];
    if (!storefront || !partner) throw new Error(`event ${id}: ${source} is not a configured source`);
    const { body, headers } = partner.webhookIn(detail);
    const packed = pack(JSON.stringify(body ?? null));
    if (packed === undefined) throw new Error(`event ${id} of ${source} is too large to store, even compressed`);
    await enqueue(storefront, { body, headers, packed }, dependencies);
  };
