import { CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { Construct } from "constructs";
import { provisionTimeoutMs } from "../shared/aws/timeouts.ts";
import type { Config } from "./config.ts";
import { Alarms } from "./constructs/alarms.ts";
import { bundlingWithCatalog } from "./constructs/bundle.ts";
import { OverviewDashboard } from "./constructs/dashboard.ts";
import { addCustomerMail, createEventBus } from "./constructs/events.ts";
import { AppFunction, runEveryMinute } from "./constructs/function.ts";
import { HttpEndpoint } from "./constructs/http-endpoint.ts";
import { addPartnerEvents } from "./constructs/partner-events.ts";
import { createSubscriptionQueue } from "./constructs/queues.ts";
import { createSecret } from "./constructs/secret.ts";
import { agendaArn, attentionArn, SubscriptionTable } from "./constructs/table.ts";

/** Ends before the next minute's run. */
const scheduledTimeout = Duration.seconds(50);

/**
 * The deployed system. The HTTP endpoint queues webhooks, provision turns them into calls to billmgr, and the schedule
 * wakes what is due, publishes events, and measures.
 */
export class WebhooksStack extends Stack {
  constructor(scope: Construct, config: Config) {
    super(scope, config.stack, config.region === undefined ? {} : { env: { region: config.region } });
    const { limits } = config.catalog;
    const reserve = (executions: number) => (config.reservedConcurrency ? executions : undefined);

    const table = new SubscriptionTable(this, "Table");
    const { queue, deadLetters } = createSubscriptionQueue(this);
    const secret = createSecret(this, "Secrets");
    const eventBus = createEventBus(this);
    const TABLE_NAME = table.tableName;
    const QUEUE_URL = queue.queueUrl;
    const SECRET_ID = secret.ref;

    const webhook = new AppFunction(this, "webhook", {
      timeout: Duration.seconds(10),
      environment: { QUEUE_URL, SECRET_ID },
      reservedConcurrency: reserve(100),
    });
    webhook.allow(["secretsmanager:GetSecretValue"], secret.ref);
    webhook.allow(["sqs:SendMessage"], queue.queueArn);
    const endpoint = new HttpEndpoint(this, "Api", webhook, config.domain);

    const provision = new AppFunction(this, "provision", {
      timeout: Duration.millis(provisionTimeoutMs),
      environment: { QUEUE_URL, SECRET_ID, TABLE_NAME },
      // Equals the event source's maximum: with less, Lambda would throttle messages, and nothing else invokes it.
      reservedConcurrency: reserve(limits.concurrency),
      bundling: bundlingWithCatalog(config.catalogFile),
    });
    provision.allow(["secretsmanager:GetSecretValue"], secret.ref);
    provision.allow(["sqs:SendMessage"], queue.queueArn);
    provision.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"], table.tableArn);
    provision.addEventSource(
      // One message at a time: no customer waits behind others while another execution is free (decision 0021).
      new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: limits.concurrency }),
    );

    const scheduled = { timeout: scheduledTimeout, reservedConcurrency: reserve(1) };
    const renew = new AppFunction(this, "renew", { ...scheduled, environment: { QUEUE_URL, TABLE_NAME } });
    renew.allow(["dynamodb:Query"], agendaArn(table));
    renew.allow(["dynamodb:Query"], attentionArn(table));
    renew.allow(["sqs:SendMessage"], queue.queueArn);

    const announce = new AppFunction(this, "announce", {
      ...scheduled,
      environment: { TABLE_NAME, BUS_NAME: eventBus.eventBusName },
    });
    announce.allow(["dynamodb:Query"], agendaArn(table));
    announce.allow(["dynamodb:Query"], attentionArn(table));
    announce.allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"], table.tableArn);
    announce.allow(["events:PutEvents"], eventBus.eventBusArn);

    const watch = new AppFunction(this, "watch", { ...scheduled, environment: { TABLE_NAME } });
    watch.allow(["dynamodb:Query"], agendaArn(table));
    watch.allow(["dynamodb:Query"], attentionArn(table));
    watch.allow(["dynamodb:GetItem"], table.tableArn);
    runEveryMinute(this, [renew, announce, watch]);

    const deadLetterQueues = {
      DeadLetters: deadLetters,
      ...(Object.keys(config.eventSources).length > 0 &&
        addPartnerEvents(this, config.eventSources, queue, reserve(10))),
      ...(config.mailFrom !== undefined && addCustomerMail(this, eventBus, config.mailFrom, reserve(5))),
    };

    const functions = this.node.children.filter((child) => child instanceof AppFunction);
    const monitored = { endpoint, functions, queue, deadLetterQueues, limits };
    const alarms = new Alarms(this, "Alarms", monitored, config.alarmEmail);
    new OverviewDashboard(this, "Dashboard", monitored, alarms.all);

    this.#addOutputs({
      WebhookUrl: [
        "The webhook address of a storefront; replace <storefront> with its name",
        `${endpoint.address}/webhooks/<storefront>`,
      ],
      PutSecrets: [
        "Stores the secrets from the file secrets.json; run it again after each change",
        `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secret.ref} --secret-string file://secrets.json`,
      ],
      EventBus: ["The event bus on which license events are published (docs/events.md)", eventBus.eventBusName],
      AlarmTopicArn: ["The SNS topic of the alarms; subscribe everyone who should receive them", alarms.topic.topicArn],
      DashboardUrl: [
        "The dashboard: purchases, flow, and health on one page",
        `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${this.stackName}`,
      ],
      ...(endpoint.domainTarget && {
        DomainTarget: [
          "The target of the domain's DNS record: a CNAME, or an alias at Route 53",
          endpoint.domainTarget,
        ],
      }),
    });
  }

  #addOutputs(outputs: Record<string, [description: string, value: string]>): void {
    for (const [name, [description, value]] of Object.entries(outputs))
      new CfnOutput(this, name, { description, value });
  }
}
