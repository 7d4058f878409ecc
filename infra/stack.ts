import { CfnOutput, Duration, Stack } from "aws-cdk-lib";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import type { Construct } from "constructs";
import type { Config } from "./config.ts";
import { Alarms } from "./constructs/alarms.ts";
import { withCatalog } from "./constructs/bundle.ts";
import { Overview } from "./constructs/dashboard.ts";
import { eventsOf, mailCustomers } from "./constructs/events.ts";
import { Door } from "./constructs/http-endpoint.ts";
import { takePartnerEvents } from "./constructs/partner-events.ts";
import { subscriptionQueue } from "./constructs/queues.ts";
import { secretOf } from "./constructs/secret.ts";
import { agendaOf, attentionIn, SubscriptionTable } from "./constructs/table.ts";
import { everyMinute, Worker } from "./constructs/worker.ts";

/** A call is begun only with 110 s left: two readings of 20 s, the call of 60 s, 10 s to record it. */
const provisionTimeout = Duration.seconds(180);
/** Ends before the next minute's run. */
const minuteTimeout = Duration.seconds(50);

/** A webhook comes in by the door, waits in the queue, and becomes a change at billmgr; the schedule does what is due. */
export class WebhooksStack extends Stack {
  constructor(scope: Construct, config: Config) {
    super(scope, config.stack, config.region === undefined ? {} : { env: { region: config.region } });
    const { limits } = config.catalog;
    const share = (atOnce: number) => (config.reservedConcurrency ? atOnce : undefined);

    const table = new SubscriptionTable(this, "Table");
    const { queue, deadLetters } = subscriptionQueue(this, provisionTimeout);
    const secret = secretOf(this, "Secrets");
    const events = eventsOf(this);
    const TABLE_NAME = table.tableName;
    const QUEUE_URL = queue.queueUrl;
    const SECRET_ID = secret.ref;

    const webhook = new Worker(this, "webhook", {
      timeout: Duration.seconds(10),
      environment: { QUEUE_URL, SECRET_ID },
      atOnce: share(100),
    });
    webhook.may(["secretsmanager:GetSecretValue"], secret.ref);
    webhook.may(["sqs:SendMessage"], queue.queueArn);
    const door = new Door(this, "Api", webhook, config.domain);

    const provision = new Worker(this, "provision", {
      timeout: provisionTimeout,
      environment: { QUEUE_URL, SECRET_ID, TABLE_NAME },
      // As many as the queue hands to it: with fewer the rest would be throttled, and nobody else calls it.
      atOnce: share(limits.concurrency),
      bundling: withCatalog(config.catalogFile),
    });
    provision.may(["secretsmanager:GetSecretValue"], secret.ref);
    provision.may(["sqs:SendMessage"], queue.queueArn);
    provision.may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"], table.tableArn);
    provision.addEventSource(
      // One at a time: a customer does not wait for those before him while another function is free (decision 0021).
      new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: limits.concurrency }),
    );

    const eachMinute = { timeout: minuteTimeout, atOnce: share(1) };
    const renew = new Worker(this, "renew", { ...eachMinute, environment: { QUEUE_URL, TABLE_NAME } });
    renew.may(["dynamodb:Query"], agendaOf(table));
    renew.may(["dynamodb:Query"], attentionIn(table));
    renew.may(["sqs:SendMessage"], queue.queueArn);

    const announce = new Worker(this, "announce", {
      ...eachMinute,
      environment: { TABLE_NAME, BUS_NAME: events.eventBusName },
    });
    announce.may(["dynamodb:Query"], agendaOf(table));
    announce.may(["dynamodb:Query"], attentionIn(table));
    announce.may(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"], table.tableArn);
    announce.may(["events:PutEvents"], events.eventBusArn);

    const watch = new Worker(this, "watch", { ...eachMinute, environment: { TABLE_NAME } });
    watch.may(["dynamodb:Query"], agendaOf(table));
    watch.may(["dynamodb:Query"], attentionIn(table));
    watch.may(["dynamodb:GetItem"], table.tableArn);
    everyMinute(this, [renew, announce, watch]);

    const undelivered = {
      DeadLetters: deadLetters,
      ...(Object.keys(config.eventSources).length > 0 &&
        takePartnerEvents(this, config.eventSources, queue, share(10))),
      ...(config.mailFrom !== undefined && mailCustomers(this, events, config.mailFrom, share(5))),
    };

    const workers = this.node.children.filter((child) => child instanceof Worker);
    const parts = { door, workers, queue, undelivered, limits };
    const alarms = new Alarms(this, "Alarms", parts, config.alarmEmail);
    new Overview(this, "Dashboard", parts, alarms.all);

    this.#tell({
      WebhookUrl: [
        "The address for a storefront, with its name in the place of <storefront>",
        `${door.address}/webhooks/<storefront>`,
      ],
      PutSecrets: [
        "Fills in the secrets from the file secrets.json; again whenever they change",
        `aws secretsmanager put-secret-value --region ${this.region} --secret-id ${secret.ref} --secret-string file://secrets.json`,
      ],
      EventBus: ["Where it is told what became of the licenses: docs/events.md", events.eventBusName],
      AlarmTopicArn: ["What the alarms are told to; subscribe to it whoever shall hear them", alarms.topic.topicArn],
      DashboardUrl: [
        "Money, flow and health on one page",
        `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}#dashboards/dashboard/${this.stackName}`,
      ],
      ...(door.domainTarget && {
        DomainTarget: [
          "What the DNS record of the domain points to: a CNAME, or an alias at Route 53",
          door.domainTarget,
        ],
      }),
    });
  }

  #tell(outputs: Record<string, [description: string, value: string]>): void {
    for (const [name, [description, value]] of Object.entries(outputs))
      new CfnOutput(this, name, { description, value });
  }
}
