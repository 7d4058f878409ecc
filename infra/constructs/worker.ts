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

/** A room under functions/. */
export type WorkerName = "webhook" | "provision" | "renew" | "announce" | "watch" | "partner" | "mail";

type Props = {
  timeout: Duration;
  environment: Record<string, string>;
  /** How many may run at a time, which no other function of the account can take away; `undefined`: what is free. */
  atOnce: number | undefined;
  bundling?: BundlingOptions;
  /** What it failed at three times. */
  deadLetterQueue?: Queue;
};

/** One function by the house rules: its own log, its own role, and no right but those that `may` gives. */
export class Worker extends NodejsFunction {
  readonly name: WorkerName;
  readonly allotted: Duration;

  constructor(stack: Stack, name: WorkerName, { timeout, environment, atOnce, deadLetterQueue, ...props }: Props) {
    const id = capital(name);
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
      ...(atOnce !== undefined && { reservedConcurrentExecutions: atOnce }),
      ...(deadLetterQueue && { deadLetterQueue }),
      // A switch of the SDK's version 2.
      awsSdkConnectionReuse: false,
      bundling: props.bundling ?? bundling,
    });
    this.name = name;
    this.allotted = timeout;
    this.may(["logs:CreateLogStream", "logs:PutLogEvents"], logGroup.logGroupArn);
  }

  may(actions: string[], resource: string, conditions?: PolicyStatement["conditions"]): void {
    this.addToRolePolicy(new PolicyStatement({ actions, resources: [resource], ...(conditions && { conditions }) }));
  }
}

/**
 * Runs each of them once a minute. A run that did not come about, or failed, is not made up for: the next one finds all
 * that it would have found. Otherwise EventBridge would repeat it for a day and Lambda for six hours, one upon another.
 */
export function everyMinute(stack: Stack, workers: Worker[]): void {
  const once = { retryAttempts: 0, maxEventAge: Duration.minutes(1) };
  for (const worker of workers) worker.configureAsyncInvoke(once);
  new Rule(stack, "EveryMinute", {
    schedule: Schedule.rate(Duration.minutes(1)),
    targets: workers.map((worker) => new LambdaFunction(worker, once)),
  });
}

export const capital = (name: string): string => name.replace(/^./, (first) => first.toUpperCase());

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
