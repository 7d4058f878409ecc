import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { Announcement } from "../licensing/announcement.ts";

/** Rejects where the bus did not take all of them. */
export type Publish = (announcements: readonly Announcement[]) => Promise<void>;

/** The `source` of everything that is put onto the bus. */
export const eventSource = "billmgr-webhooks";

const largestBatch = 10;

export const publishTo =
  (client: Pick<EventBridgeClient, "send">, EventBusName: string): Publish =>
  async (announcements) => {
    for (let i = 0; i < announcements.length; i += largestBatch) {
      const batch = announcements.slice(i, i + largestBatch);
      const Entries = batch.map((announcement) => ({
        EventBusName,
        Source: eventSource,
        DetailType: announcement.type,
        Time: new Date(announcement.at),
        Detail: JSON.stringify(announcement),
      }));
      const { FailedEntryCount = 0, Entries: came = [] } = await client.send(new PutEventsCommand({ Entries }));
      const first = came.find(({ ErrorCode }) => ErrorCode);
      if (FailedEntryCount > 0)
        throw new Error(
          `the bus refused ${FailedEntryCount} of ${batch.length} events: ${first?.ErrorCode} ${first?.ErrorMessage}`,
        );
    }
  };
