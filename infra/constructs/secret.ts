import { RemovalPolicy, type Stack, Validations } from "aws-cdk-lib";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";

/** Made without a value, which the construct `Secret` would fill with a generated password. It is put by hand. */
export function secretOf(stack: Stack, id: string): CfnSecret {
  const secret = new CfnSecret(stack, id, {
    description: `billmgr's user and password and the storefronts' signing secrets of ${stack.stackName}, as JSON`,
  });
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN);
  Validations.of(secret).acknowledge({
    id: "AwsSolutions-SMG4",
    reason:
      "Neither billmgr nor a storefront lets a program change what is in it: docs/operating.md tells how a person does.",
  });
  return secret;
}
