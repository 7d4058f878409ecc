import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { run } from "../shared/command-line/usage-error.ts";
import { readConfig } from "./config.ts";
import { WebhooksStack } from "./stack.ts";

await run(() => {
  const app = new App();
  new WebhooksStack(app, readConfig(app.node.getAllContext()));
  // Synthesis fails on any finding of AWS's security rules.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
});
