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

/** Where the parts of one stack are. */
type Parts = {
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
} & Pick<Parts, "refresh">;

/** The real clients before the parts of a local or a deployed stack. @throws Mistake */
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

async function localParts({ url, catalog }: Target): Promise<Parts> {
  const { origin } = new URL(url);
  const told = await fetch(`${origin}/local/parts`).catch(() => undefined);
  if (!told?.ok) {
    const problem = told ? `${origin} is no local stack` : `nothing answers at ${origin}: is npm start running?`;
    throw new UsageError(`${problem}\nName a deployed stack with --stack, another local one with --url`);
  }
  const { region, table, queue, secrets, ...parts } = (await told.json()) as LocalParts;
  let ahead = Date.parse(parts.now) - Date.now();
  const at = (endpoint: string) => ({ region, endpoint, credentials: localAws.credentials });
  return {
    catalog: acceptingTests(catalog === undefined ? parts.catalog : readCatalog(catalog)),
    billmgr: parts.billmgr,
    now: () => new Date(Date.now() + ahead),
    // Who stays connected while the local clock is moved.
    refresh: async () => {
      const { now } = (await (await fetch(`${origin}/local/clock`)).json()) as { now: string };
      ahead = Date.parse(now) - Date.now();
    },
    table: table.name,
    queue: queue.url,
    secret: secrets.id,
    clients: {
      dynamodb: new DynamoDBClient(at(table.endpoint)),
      sqs: new SQSClient(at(queue.endpoint)),
      secrets: new SecretsManagerClient(at(secrets.endpoint)),
    },
  };
}

async function deployedParts(stack: string, { region, catalog: file = "catalog.json" }: Target): Promise<Parts> {
  const catalog = readCatalog(file);
  const of = region === undefined ? {} : { region };
  const client = new CloudFormationClient(of);
  // DescribeStackResources tells a hundred of them and is silent about the rest; with every setting there are more.
  const resources: StackResourceSummary[] = [];
  for await (const page of paginateListStackResources({ client }, { StackName: stack })) {
    resources.push(...(page.StackResourceSummaries ?? []));
  }
  client.destroy();
  // The CDK puts a digest behind the name that infra/stack.ts gives.
  const idOf = (type: string, name: string): string => {
    const found = resources.find(
      ({ ResourceType, LogicalResourceId = "" }) =>
        ResourceType === type && new RegExp(`^${name}([0-9A-F]{8})?$`).test(LogicalResourceId),
    );
    if (!found?.PhysicalResourceId)
      throw new UsageError(`the stack ${stack} has no ${name} (${type}): is it this system's?`);
    return found.PhysicalResourceId;
  };
  return {
    catalog,
    billmgr: catalog.billmgr.url,
    now: () => new Date(),
    table: idOf("AWS::DynamoDB::Table", "Table"),
    queue: idOf("AWS::SQS::Queue", "Queue"),
    secret: idOf("AWS::SecretsManager::Secret", "Secrets"),
    clients: { dynamodb: new DynamoDBClient(of), sqs: new SQSClient(of), secrets: new SecretsManagerClient(of) },
  };
}

const readCatalog = (file: string): Catalog => readFile(file, "catalog", parseCatalog);
