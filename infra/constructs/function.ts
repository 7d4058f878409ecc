import { fileURLToPath } from "node:url";
import { Duration, type Stack } from "aws-cdk-lib";
import { Rule, Schedule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Architecture, Runtime } from "aws-cdk-lib/aws-lambda";
import { type BundlingOptions, NodejsFunction } from "aws-cdk-lib/aws-lambda-nodejs";
import { LogGroup, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { bundling } from "./bundle.ts";

/** A folder under functions/. */
export type FunctionName = "webhook" | "provision" | "renew" | "announce" | "watch" | "partner" | "mail";

type Props = {
  timeout: Duration;
  environment: Record<string, string>;
  /** The reserved concurrency: an upper limit, and a share that no other function can use. Undefined reserves nothing. */
  reservedConcurrency: number | undefined;
  bundling?: BundlingOptions;
  /** Receives the events that failed three times. */
  deadLetterQueue?: Queue;
};

/** A Lambda function of this project, with its own log group and role. Its only permissions are those from `allow`. */
export class AppFunction extends NodejsFunction {
  readonly name: FunctionName;
  readonly maxDuration: Duration;

  constructor(
    stack: Stack,
    name: FunctionName,
    { timeout, environment, reservedConcurrency, deadLetterQueue, ...props }: Props,
  ) {
    const id = capitalize(name);
    const logGroup = new LogGroup(stack, `${id}Log`, { retention: RetentionDays.THREE_MONTHS });
    const role = new Role(stack, `${id}Role`, { assumedBy: new ServicePrincipal("lambda.amazonaws.com") });
    super(stack, id, {
      entry: pathOf(`functions/${name}/index.ts`),
      projectRoot: pathOf("."),
      depsLockFilePath: pathOf("package-lock.json"),
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 512,
      timeout,
      environment: {
        ...environment,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: stack.stackName,
      },
      role,
      logGroup,
      ...(reservedConcurrency !== undefined && { reservedConcurrentExecutions: reservedConcurrency }),
      ...(deadLetterQueue && { deadLetterQueue }),
      // This variable affects only version 2 of the SDK.
      awsSdkConnectionReuse: false,
      bundling: props.bundling ?? bundling,
    });
    this.name = name;
    this.maxDuration = timeout;
    this.allow(["logs:CreateLogStream", "logs:PutLogEvents"], logGroup.logGroupArn);
  }

  allow(actions: string[], resource: string, conditions?: PolicyStatement["conditions"]): void {
    this.addToRolePolicy(new PolicyStatement({ actions, resources: [resource], ...(conditions && { conditions }) }));
  }
}

/**
 * Runs each function once a minute, without retries: the next run finds everything that a failed or missed run left.
 * By default EventBridge would retry for a day and Lambda for six hours, and the runs would pile up.
 */
export function runEveryMinute(stack: Stack, functions: AppFunction[]): void {
  const noRetries = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
  for (const one of functions) one.configureAsyncInvoke(noRetries);
  new Rule(stack, "EveryMinute", {
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: functions.map((one) => new LambdaFunction(one, noRetries)),
  });
}

export const capitalize = (name: string): string => name.replace(/^./, (first) => first.toUpperCase());

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
