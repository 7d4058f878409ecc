import { type SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import type { EventBridgeEvent } from "aws-lambda";
import type { Announcement } from "../../shared/licensing/announcement.ts";
import type { Log } from "../../shared/observability/log.ts";
import { letterOf } from "./letter.ts";

export type MailDependencies = { client: Pick<SESv2Client, "send">; from: string; log: Log };

/** Writes to the customer what the bus tells. What SES does not take is tried again by Lambda, twice. */
export const createHandler =
  ({ client, from, log }: MailDependencies) =>
  async ({ detail }: Pick<EventBridgeEvent<string, Announcement>, "detail">): Promise<void> => {
    const letter = letterOf(detail);
    if (!letter) return log.info("no letter", { id: detail.id });
    const { to, subject, text } = letter;
    const body = { Subject: { Data: subject, Charset: "UTF-8" }, Body: { Text: { Data: text, Charset: "UTF-8" } } };
    const command = new SendEmailCommand({
      FromEmailAddress: from,
      Destination: { ToAddresses: [to] },
      Content: { Simple: body },
    });
    await client.send(command).catch((error: unknown) => {
      // Its words can name the customer's address, and Lambda logs what is thrown.
      throw new Error(
        `SES did not take the letter of ${detail.id}: ${error instanceof Error ? error.name : "no reason"}`,
      );
    });
    log.info("letter sent", { id: detail.id });
  };
