import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table } from "aws-cdk-lib/aws-dynamodb";
import type { Construct } from "constructs";
import { agendaIndex, attentionIndex, tableIndexes } from "../../shared/aws/table.ts";

/** The database. It can be restored to any second of the last 35 days, and it is kept when the stack is deleted. */
export class SubscriptionTable extends Table {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      partitionKey: { name: "pk", type: AttributeType.STRING },
      sortKey: { name: "sk", type: AttributeType.STRING },
      timeToLiveAttribute: "expiresAt",
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const { name, keys } of tableIndexes) {
      const [hash, range] = keys;
      this.addGlobalSecondaryIndex({
        indexName: name,
        partitionKey: { name: hash, type: AttributeType.STRING },
        sortKey: { name: range, type: AttributeType.STRING },
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
  }
}

/** The ARNs of the table's indexes, for what queries them. */
export const agendaArn = (table: Table): string => `${table.tableArn}/index/${agendaIndex}`;
export const attentionArn = (table: Table): string => `${table.tableArn}/index/${attentionIndex}`;
