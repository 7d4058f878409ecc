import { App } from "aws-cdk-lib";
import { readConfig } from "./config.ts";
import { run } from "./mistake.ts";
import { WebhooksStack } from "./stack.ts";

await run(() => {
  const app = new App();
  const { stack, ...config } = readConfig(app.node.getAllContext());
  new WebhooksStack(app, stack, config);
});
