import { fileURLToPath } from "node:url";
import { CfnOutput, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { HttpApi, HttpMethod } from "aws-cdk-lib/aws-apigatewayv2";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import { AttributeType, BillingMode, ProjectionType, Table } from "aws-cdk-lib/aws-dynamodb";
import { EventBus, Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Architecture, Runtime } from "aws-cdk-lib/aws-lambda";
import { SqsEventSource } from "aws-cdk-lib/aws-lambda-event-sources";
import {
  type BundlingOptions,
  LogLevel,
  NodejsFunction,
  type NodejsFunctionProps,
  OutputFormat,
} from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { DeduplicationScope, FifoThroughputLimit, Queue, QueueEncryption } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";
import { agendaIndex } from "../shared/aws/table.ts";
import type { Config } from "./config.ts";

/** A call is begun only with 110 s left: two readings of 20 s, the call of 60 s, 10 s to record it. */
const provisionTimeout = Duration.seconds(180);

type Props = Omit<Config, "stack" | "eventSources"> & Partial<Pick<Config, "eventSources">>;

export class WebhooksStack extends Stack {
  constructor(scope: Construct, id: string, { catalogFile, catalog, eventSources = {} }: Props) {
    super(scope, id);

    const table = new Table(this, "Table", {
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      timeToLiveAttribute: "expiresAt",
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    table.addGlobalSecondaryIndex({
      indexName: agendaIndex,
      partitionKey: { name: "agenda", type: AttributeType.STRING },
      sortKey: { name: "agendaAt", type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    });

    // A message group is a subscription; it is counted and deduplicated by itself, so none is slowed by another's rush.
    const queueProps = {
      fifo: true,
      deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
      fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
      maxMessageSizeBytes: 1024 * 1024,
      // The longest that SQS keeps a message. Each is a webhook that was answered 200 and will not be sent again.
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    };
    const deadLetters = new Queue(this, "DeadLetters", queueProps);
    const queue = new Queue(this, "Queue", {
      ...queueProps,
      // AWS's advice for an event source, six times the function's timeout: a throttled batch is retried within it.
      visibilityTimeout: Duration.seconds(6 * provisionTimeout.toSeconds()),
      // With the pauses between them, about four hours: an outage of the table must not end there.
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: 20 },
    });

    // The construct Secret would fill it with a generated password; this one stays without a value until it is put.
    const secret = new CfnSecret(this, "Secrets", {
      description: `billmgr's user and password and the storefronts' signing secrets of ${id}, as JSON`,
    });
    secret.applyRemovalPolicy(RemovalPolicy.RETAIN);

    const TABLE_NAME = table.tableName;
    const QUEUE_URL = queue.queueUrl;
    const SECRET_ID = secret.ref;

    const webhook = this.#function("webhook", Duration.seconds(10), { QUEUE_URL, SECRET_ID });
    allow(webhook, ["secretsmanager:GetSecretValue"], secret.ref);
    allow(webhook, ["sqs:SendMessage"], queue.queueArn);

    const provision = this.#function(
      "provision",
      provisionTimeout,
      { QUEUE_URL, SECRET_ID, TABLE_NAME },
      {
        // undici is CommonJS and requires Node's modules, which an ES module has no `require` for.
        banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
        commandHooks: {
          beforeBundling: () => [],
          beforeInstall: () => [],
          afterBundling: (_, bundle) => [
            // The mode goes into the zip, where a catalog that only its owner may read would be closed to Lambda's user.
            `install -m 644 ${quoted(catalogFile)} ${quoted(`${bundle}/catalog.json`)}`,
          ],
        },
      },
    );
    allow(provision, ["secretsmanager:GetSecretValue"], secret.ref);
    allow(provision, ["sqs:SendMessage"], queue.queueArn);
    allow(provision, ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"], table.tableArn);
    provision.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 10,
        reportBatchItemFailures: true,
        maxConcurrency: catalog.limits.concurrency,
      }),
    );

    const renew = this.#function("renew", Duration.seconds(50), { QUEUE_URL, TABLE_NAME });
    allow(renew, ["dynamodb:Query"], `${table.tableArn}/index/${agendaIndex}`);
    allow(renew, ["sqs:SendMessage"], queue.queueArn);
    new Rule(this, "EveryMinute", {
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [new LambdaFunction(renew)],
    });

    if (Object.keys(eventSources).length > 0) this.#takePartnerEvents(eventSources, queue);

    const api = new HttpApi(this, "Api");
    const integration = new HttpLambdaIntegration("WebhookIntegration", webhook);
    api.addRoutes({ path: "/webhooks/{storefront}", methods: [HttpMethod.ANY], integration });
    api.addRoutes({ path: "/health", methods: [HttpMethod.GET], integration });

    new CfnOutput(this, "WebhookUrl", { value: `${api.apiEndpoint}/webhooks/<storefront>` });
    new CfnOutput(this, "PutSecrets", {
      description: "Fills in the secrets from the file secrets.json; again whenever they change",
      value: [
        "aws secretsmanager put-secret-value",
        `--region ${this.region}`,
        `--secret-id ${secret.ref}`,
        "--secret-string file://secrets.json",
      ].join(" "),
    });
  }

  /** A bus for each source, as AWS associates them: only the partner can put events onto it. */
  #takePartnerEvents(eventSources: Config["eventSources"], queue: Queue): void {
    // What EventBridge could not hand over in a day, and what the function failed at three times.
    const deadLetterQueue = new Queue(this, "PartnerDeadLetters", {
      maxMessageSizeBytes: 1024 * 1024,
      retentionPeriod: Duration.days(14),
      removalPolicy: RemovalPolicy.RETAIN,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    const environment = { QUEUE_URL: queue.queueUrl, EVENT_SOURCES: JSON.stringify(eventSources) };
    const partner = this.#function("partner", Duration.seconds(10), environment, {}, { deadLetterQueue });
    allow(partner, ["sqs:SendMessage"], queue.queueArn);
    for (const [source, storefront] of Object.entries(eventSources)) {
      new Rule(this, `${capital(storefront)}Events`, {
        eventBus: new EventBus(this, `${capital(storefront)}Bus`, { eventSourceName: source }),
        eventPattern: { source: [source] },
        targets: [new LambdaFunction(partner, { deadLetterQueue })],
      });
    }
  }

  #function(
    name: "webhook" | "provision" | "renew" | "partner",
    timeout: Duration,
    environment: Record<string, string>,
    bundling: BundlingOptions = {},
    props: Pick<NodejsFunctionProps, "deadLetterQueue"> = {},
  ): NodejsFunction {
    const id = capital(name);
    return new NodejsFunction(this, id, {
      entry: pathOf(`functions/${name}/index.ts`),
      projectRoot: pathOf("."),
      depsLockFilePath: pathOf("package-lock.json"),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout,
      environment,
      ...props,
      // A switch of the SDK's version 2.
      awsSdkConnectionReuse: false,
      logGroup: new LogGroup(this, `${id}Log`, { retention: RetentionDays.THREE_MONTHS }),
      bundling: {
        format: OutputFormat.ESM,
        mainFields: ["module", "main"],
        minify: true,
        logLevel: LogLevel.WARNING,
        externalModules: [...otherCredentials],
        ...bundling,
      },
    });
  }
}

/**
 * Where the SDK looks for credentials that the environment does not give. Lambda's always does, so these lazy imports
 * never run: 120 KiB of each bundle. All else of the SDK is bundled: loading Lambda's own copy takes longer.
 */
export const otherCredentials = [
  "@aws-sdk/credential-provider-ini",
  "@aws-sdk/credential-provider-process",
  "@aws-sdk/credential-provider-sso",
  "@aws-sdk/credential-provider-web-identity",
  "@smithy/credential-provider-imds",
];

const allow = (to: NodejsFunction, actions: string[], resource: string): void =>
  to.addToRolePolicy(new PolicyStatement({ actions, resources: [resource] }));

const capital = (name: string): string => name.replace(/^./, (first) => first.toUpperCase());

const pathOf = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
