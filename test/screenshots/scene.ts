import { readFileSync } from "node:fs";
import { randomSecrets } from "../../local/options.ts";
import { type LocalStack, startStack } from "../../local/stack.ts";
import { createTryIt } from "../../local/try.ts";
import { parseCatalog } from "../../shared/licensing/catalog.ts";

const silent = { info() {}, warn() {}, error() {} };

/** Plays three months of some customers, up to a morning with two attention items. */
export async function startScene(): Promise<{ stack: LocalStack; subscription: string }> {
  const secrets = randomSecrets();
  const catalog = parseCatalog(JSON.parse(readFileSync("catalog.json", "utf8")));
  const stack = await startStack({
    catalog,
    secrets: () => JSON.stringify(secrets),
    clock: new Date("2026-09-02T07:10:00Z"),
    scheduleIntervalMs: 3_600_000,
    log: silent,
  });
  const { sandbox } = stack;
  if (!sandbox) throw new Error("there is no simulated billmgr");
  const tryIt = createTryIt({ ...stack, catalog, secrets: () => secrets, sandbox });
  const buy = async (storefront: string): Promise<string> => (await tryIt.send(storefront, "buy")).name;
  const tell = (name: string, step: string) => tryIt.send(name.split("/")[0] ?? "", step, name);
  const later = tryIt.advance;

  const customers: string[] = [];
  for (const storefront of ["stripe", "paddle", "woocommerce", "stripe", "polar", "standard", "chargebee"]) {
    customers.push(await buy(storefront));
    await later("P1DT5H");
  }
  const [unlucky = "", , lapses = ""] = customers;
  await later("P12D");
  await tell(unlucky, "grow");
  await later("P8D");
  for (const name of customers) {
    // billmgr's answer to this prolong is lost, and an observation finds the change.
    if (name === unlucky) sandbox.plan({ fault: "act_then_drop", func: "prolong" });
    await tell(name, name === lapses ? "fail" : "renew");
    await later("P1DT3H");
  }
  await later("P5D");
  await tell(lapses, "renew");
  await later("P17D");
  for (const name of customers) {
    // This prolong never reaches billmgr.
    if (name === unlucky) sandbox.plan({ fault: "drop_before_acting", func: "prolong" });
    await tell(name, name === unlucky ? "fail" : "renew");
    await later("P1DT2H");
    if (name === unlucky) await later("P4D");
    if (name === unlucky) await tell(name, "renew");
  }
  await later("P12D");
  await buy("standard");
  sandbox.plan({ fault: "basket", func: "order" });
  await later("PT9H");
  await buy("shopify");
  sandbox.plan({ fault: "error", func: "edit", type: "access", object: "addon" });
  await later("PT1H");
  await tell(customers[3] ?? "", "grow");
  await buy("lemonsqueezy");
  await later("PT13H");
  return { stack, subscription: unlucky };
}
