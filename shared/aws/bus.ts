import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { Announcement } from "../licensing/announcement.ts";

/** @returns the announcements that the bus rejected. It throws if the outcome of a whole request is unknown. */
export type Publish = (announcements: readonly Announcement[]) => Promise<Refused[]>;
export type Refused = { id: string; why: string };

/** The `source` of every event on the bus. */
export const eventSource = "billmgr-webhooks";

const maxBatchEntries = 10;

export const publishTo =
  (client: Pick<EventBridgeClient, "send">, EventBusName: string): Publish =>
  async (announcements) => {
    const refused: Refused[] = [];
    for (let i = 0; i < announcements.length; i += maxBatchEntries) {
      const batch = announcements.slice(i, i + maxBatchEntries);
      const Entries = batch.map((announcement) => ({
        EventBusName,
        Source: eventSource,
        DetailType: announcement.type,
        Time: new Date(announcement.at),
        Detail: JSON.stringify(announcement),
      }));
      // EventBridge answers 200 even if it rejected every entry.
      const { Entries: results = [] } = await client.send(new PutEventsCommand({ Entries }));
      for (const [i, { ErrorCode, ErrorMessage }] of results.entries())
        if (ErrorCode) refused.push({ id: batch[i]?.id ?? "", why: `${ErrorCode} ${ErrorMessage}` });
    }
    return refused;
  };
