import { type SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import type { EventBridgeEvent } from "aws-lambda";
import type { Announcement } from "../../shared/licensing/announcement.ts";
import type { Log } from "../../shared/observability/log.ts";
import { composeLetter } from "./letter.ts";

export type MailDependencies = { client: Pick<SESv2Client, "send">; from: string; log: Log };

/** Sends each license event on the bus to its customer by mail. If SES rejects it, Lambda retries twice. */
export const createHandler =
  ({ client, from, log }: MailDependencies) =>
  async ({ detail }: Pick<EventBridgeEvent<string, Announcement>, "detail">): Promise<void> => {
    const letter = composeLetter(detail);
    if (!letter) return log.info("no letter", { id: detail.id });
    const { to, subject, text } = letter;
    const body = { Subject: { Data: subject, Charset: "UTF-8" }, Body: { Text: { Data: text, Charset: "UTF-8" } } };
    const command = new SendEmailCommand({
      FromEmailAddress: from,
      Destination: { ToAddresses: [to] },
      Content: { Simple: body },
    });
    await client.send(command).catch((error: unknown) => {
      // The message of SES can contain the customer's address, and Lambda logs the error.
      throw new Error(
        `SES rejected the letter for ${detail.id}: ${error instanceof Error ? error.name : "no reason given"}`,
      );
    });
    log.info("letter sent", { id: detail.id });
  };
