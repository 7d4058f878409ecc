import { Logger } from "@aws-lambda-powertools/logger";
import { SESv2Client } from "@aws-sdk/client-sesv2";
import { environment } from "../../shared/aws/environment.ts";
import { createHandler } from "./handler.ts";

export const handler = createHandler({
  client: new SESv2Client(),
  from: environment("MAIL_FROM"),
  log: new Logger({ serviceName: "mail" }),
});
