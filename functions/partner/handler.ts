import type { EventBridgeEvent } from "aws-lambda";
import { pack } from "../../shared/intake/body-codec.ts";
import { type EnqueueDependencies, enqueue } from "../../shared/intake/messages.ts";
import { storefrontNamed } from "../../shared/storefronts/index.ts";
import { partners } from "../../shared/storefronts/partners.ts";

/**
 * Takes a partner's event the way of a webhook. It is trusted for its source: only the partner can put events onto the bus
 * that is associated with it, and `sources` names each with its storefront. What fails is tried again, and then kept in
 * the dead-letter queue.
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
    if (!storefront || !partner)
      throw new Error(`event ${id} is of ${source}, which is none of the configured sources`);
    const { body, headers } = partner.webhookIn(detail);
    const packed = pack(JSON.stringify(body ?? null));
    if (packed === undefined) throw new Error(`event ${id} of ${source} is too large to be kept, even compressed`);
    await enqueue(storefront, { body, headers, packed }, dependencies);
  };
