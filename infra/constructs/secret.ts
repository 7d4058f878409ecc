import { RemovalPolicy, type Stack, Validations } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";

/** A secret without a value, which an operator stores later. The construct `Secret` would generate a password. */
export function createSecret(stack: Stack, id: string): CfnSecret {
  const secret = new CfnSecret(stack, id, {
    description: `The billmgr user and password and the storefronts' signing secrets of ${stack.stackName}, as JSON`,
  });
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
  Validations.of(secret).acknowledge({
    id: "AwsSolutions-SMG4",
    reason:
      "Automatic rotation is impossible: neither billmgr nor a storefront offers an API for it. docs/operating.md describes how an operator rotates the secrets.",
  });
  return secret;
}
