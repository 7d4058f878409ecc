import { type EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import type { Announcement } from "../licensing/announcement.ts";

/** @returns what the bus did not take, and why. Rejects where nothing is known of a whole request. */
export type Publish = (announcements: readonly Announcement[]) => Promise<Refused[]>;
export type Refused = { id: string; why: string };

/** The `source` of everything that is put onto the bus. */
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
      // It answers 200 also where it took none.
      const { Entries: came = [] } = await client.send(new PutEventsCommand({ Entries }));
      for (const [place, { ErrorCode, ErrorMessage }] of came.entries())
        if (ErrorCode) refused.push({ id: batch[place]?.id ?? "", why: `${ErrorCode} ${ErrorMessage}` });
    }
    return refused;
  };
