/** Finds the parts of a local or a deployed stack, and connects to them. */
import {
  CloudFormationClient,
  paginateListStackResources,
  type StackResourceSummary,
} from "@aws-sdk/client-cloudformation";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { SQSClient } from "@aws-sdk/client-sqs";
import { type LocalParts, localAws } from "../../shared/aws/local-parts.ts";
import { sendTo } from "../../shared/aws/queue.ts";
import { secretsIn } from "../../shared/aws/secrets.ts";
import { createTable } from "../../shared/aws/table.ts";
import type { Billmgr, Reader } from "../../shared/billmgr/billmgr.ts";
import { readFile, UsageError } from "../../shared/command-line/usage-error.ts";
import { acceptingTests, type Catalog, parseCatalog } from "../../shared/licensing/catalog.ts";
import type { OperatorDependencies } from "../actions/dependencies.ts";
import { operatorsBillmgr } from "./billmgr.ts";

export type Target = { url: string; stack?: string; region?: string; catalog?: string };

/** The resources of one stack, and the clients to reach them. */
type StackParts = {
  catalog: Catalog;
  billmgr: string;
  now: () => Date;
  table: string;
  queue: string;
  secret: string;
  clients: { dynamodb: DynamoDBClient; sqs: SQSClient; secrets: SecretsManagerClient };
  refresh?: () => Promise<void>;
};

export type Connection = OperatorDependencies & {
  billmgr: Billmgr & Reader;
  billmgrUrl: string;
  close: () => void;
} & Pick<StackParts, "refresh">;

/** Connects to a local or a deployed stack. Both are used through the same AWS clients. @throws UsageError */
export async function connect(target: Target): Promise<Connection> {
  const parts = target.stack === undefined ? await localParts(target) : await deployedParts(target.stack, target);
  const { catalog, clients, now } = parts;
  const table = createTable(clients.dynamodb, parts.table);
  const secrets = secretsIn(clients.secrets, parts.secret);
  return {
    table,
    send: sendTo(clients.sqs, parts.queue),
    billmgr: operatorsBillmgr({ url: parts.billmgr, secrets, table, catalog, now }),
    billmgrUrl: parts.billmgr,
    catalog,
    now,
    ...(parts.refresh && { refresh: parts.refresh }),
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}

async function localParts({ url, catalog }: Target): Promise<StackParts> {
  const { origin } = new URL(url);
  const response = await fetch(`${origin}/local/parts`).catch(() => undefined);
  if (!response?.ok) {
    const problem = response
      ? `${origin} is not a local system`
      : `nothing answers at ${origin}: is npm start running?`;
    throw new UsageError(`${problem}\nPass --url for another local system, or --stack for a deployed one.`);
  }
  const { region, table, queue, secrets, ...parts } = (await response.json()) as LocalParts;
  let clockOffsetMs = Date.parse(parts.now) - Date.now();
  const clientConfig = (endpoint: string) => ({ region, endpoint, credentials: localAws.credentials });
  return {
    catalog: acceptingTests(catalog === undefined ? parts.catalog : readCatalog(catalog)),
    billmgr: parts.billmgr,
    now: () => new Date(Date.now() + clockOffsetMs),
    // The console stays connected while the local clock moves.
    refresh: async () => {
      const { now } = (await (await fetch(`${origin}/local/clock`)).json()) as { now: string };
      clockOffsetMs = Date.parse(now) - Date.now();
    },
    table: table.name,
    queue: queue.url,
    secret: secrets.id,
    clients: {
      dynamodb: new DynamoDBClient(clientConfig(table.endpoint)),
      sqs: new SQSClient(clientConfig(queue.endpoint)),
      secrets: new SecretsManagerClient(clientConfig(secrets.endpoint)),
    },
  };
}

async function deployedParts(stack: string, { region, catalog: file = "catalog.json" }: Target): Promise<StackParts> {
  const catalog = readCatalog(file);
  const clientConfig = region === undefined ? {} : { region };
  const client = new CloudFormationClient(clientConfig);
  // DescribeStackResources returns only the first hundred resources. With every setting the stack has more.
  const resources: StackResourceSummary[] = [];
  for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
    resources.push(...(page.StackResourceSummaries ?? []));
  }
  client.destroy();
  // The CDK appends a hash to the name in infra/stack.ts.
  const idOf = (type: string, name: string): string => {
    const found = resources.find(
      ({ ResourceType, LogicalResourceId = "" }) =>
        ResourceType === type && new RegExp(`^${name}([0-9A-F]{8})?$`).test(LogicalResourceId),
    );
    if (!found?.PhysicalResourceId)
      throw new UsageError(
        `the stack ${stack} has no ${name} (${type}); check that --stack names a stack of billmgr-webhooks`,
      );
    return found.PhysicalResourceId;
  };
  return {
    catalog,
    billmgr: catalog.billmgr.url,
    now: () => new Date(),
    table: idOf("AWS::DynamoDB::Table", "Table"),
    queue: idOf("AWS::SQS::Queue", "Queue"),
    secret: idOf("AWS::SecretsManager::Secret", "Secrets"),
    clients: {
      dynamodb: new DynamoDBClient(clientConfig),
      sqs: new SQSClient(clientConfig),
      secrets: new SecretsManagerClient(clientConfig),
    },
  };
}

const readCatalog = (file: string): Catalog => readFile(file, "catalog", parseCatalog);
