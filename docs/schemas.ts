import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { announcementSchema } from "../shared/licensing/announcement-schema.ts";
import { catalogSchema } from "../shared/licensing/catalog.ts";
import { storefrontNames } from "../shared/licensing/event.ts";

/** Where editors find it by the catalog's `$schema`. */
export const schemaFile = fileURLToPath(new URL("catalog.schema.json", import.meta.url));

/** Of what is put onto the bus: docs/events.md. */
export const eventsSchemaFile = fileURLToPath(new URL("events.schema.json", import.meta.url));

/** What editors show at each place; "*" is a name that the catalog's author chooses. docs/catalog.md says it at length. */
const descriptions: Record<string, string> = {
  $schema: "Where this schema lies, for editors. Not used otherwise.",
  billmgr: "ISPsystem's billing.",
  "billmgr.url": "Its address. https (http only on this machine), without user, password or query.",
  "billmgr.fundsErrors":
    "Words in the type, object or text of an error by which it is known to be about money: the order then waits until the balance rises.",
  products: "What billmgr sells, by names that you choose.",
  "products.*": "One tariff plan of billmgr.",
  "products.*.pricelist": "billmgr's code of the tariff plan: 55163 is VMmanager 6, 55161 is DCImanager 6.",
  "products.*.family": 'The first part of billmgr\'s function names: "platform.order.param" or "soft.order.param".',
  "products.*.addons": "billmgr's codes of the addons, by names that you choose.",
  "products.*.addons.*": 'The code N of billmgr\'s parameter "addon_N".',
  plans: "What you sell, by names that you choose. An event of the storefront standard names the plan itself.",
  "plans.*": "One thing that you sell, with the licenses that it entitles to.",
  "plans.*.product": "A name under products.",
  "plans.*.period": "Months that are bought at a time: 1 or 12 for platform.",
  "plans.*.addons": "How many of each addon a license gets. Names are those of the product's addons.",
  "plans.*.addons.*": "The value is base + perUnit * quantity.",
  "plans.*.addons.*.base": "So many, whatever the quantity.",
  "plans.*.addons.*.perUnit": "So many more for each unit of the quantity that was sold.",
  "plans.*.quantity":
    '"addons": one license, whose addons grow with the quantity. "licenses": as many licenses as the quantity.',
  "plans.*.trial": "Ordered for a trial that costs nothing. Without it a trial orders a paid license.",
  "plans.*.trial.period": "billmgr's code of the trial period: -100.",
  "plans.*.autoprolong":
    "Months that billmgr renews by itself. null, because the storefront drives renewals and two drivers pay twice.",
  "plans.*.soldAs": "The storefronts' own ids of what is sold as this plan.",
  "plans.*.soldAs.*": "At Stripe the ids of prices or of products.",
  extras: "What is sold beside a plan and adds to the addons of its license.",
  "extras.*": "One such thing.",
  "extras.*.product": "A name under products. It needs a plan of this product in the same subscription.",
  "extras.*.addons": "What it adds. Names are those of the product's addons.",
  "extras.*.addons.*": "It adds base + perUnit * quantity.",
  "extras.*.addons.*.base": "So many, whatever the quantity.",
  "extras.*.addons.*.perUnit": "So many more for each unit of the quantity that was sold.",
  "extras.*.soldAs": "The storefronts' own ids of what is sold as this extra.",
  "extras.*.soldAs.*": "At Stripe the ids of prices or of products.",
  ignored: "What the storefronts sell beside licenses, such as support hours.",
  "ignored.*": "The storefront's own ids. What is neither sold nor ignored needs a person.",
  policy: "When licenses follow the payments, and how.",
  "policy.graceDays": "Days that a license is left running unpaid before it is suspended. It buys no time at billmgr.",
  "policy.onEnd":
    'What becomes of licenses at the end. "suspend": suspended, and deleted retentionDays later. "delete": deleted at once. "lapse": left to expire.',
  "policy.retentionDays": 'With "onEnd": "suspend", the days from the end to the deletion.',
  "policy.renew":
    '"on_payment": buys all that was paid for, at once. "before_expiry": buys one period at a time, renewAheadDays before expiry.',
  "policy.renewAheadDays": "How many days before a license expires the next period is bought.",
  "policy.slackDays": "At the end of a subscription that is set to end, so many days are not worth another period.",
  "policy.acceptTestMode": "On AWS, whether events of a storefront's test mode buy real licenses.",
  limits: "What a broken shop can do at most.",
  "limits.ordersPerHour": "Orders in one hour (UTC). More of them wait for a person.",
  "limits.ordersPerDay": "Orders in one day (UTC). More of them wait for a person.",
  "limits.minimumBalance":
    "The balance below which a warning is given when something is bought, in the account's currency. Without it the balance is not read.",
  "limits.concurrency": "How many subscriptions are worked on at a time, and so how many calls billmgr gets at a time.",
};

type Node = {
  [keyword: string]: unknown;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
};

/**
 * The catalog's JSON Schema, from the schema that the functions check it by. Names that refer to other names are checked
 * by `parseCatalog` alone.
 */
export function catalogJsonSchema(): Node {
  // Draft 7 is the one that editors know whole. What occurs twice is one object until it is written out.
  const written = JSON.stringify(z.toJSONSchema(catalogSchema, { target: "draft-7", io: "input" }));
  const { $schema, ...schema } = JSON.parse(written) as Node;
  const unused = new Set(Object.keys(descriptions));
  describe(schema, "", unused);
  if (unused.size > 0) throw new Error(`descriptions of what the catalog does not have: ${[...unused].join(", ")}`);
  return { $schema, title: "The catalog of billmgr-webhooks", ...schema };
}

function describe(node: Node, path: string, unused: Set<string>): void {
  const description = descriptions[path];
  if (description !== undefined) node.description = description;
  else if (path !== "") throw new Error(`no description of ${path}`);
  unused.delete(path);
  // Limits of JavaScript, not of the catalog.
  if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
  if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
  if (node.propertyNames) delete node.propertyNames;
  if (/(^|\.)(soldAs|ignored)$/.test(path)) node.propertyNames = { enum: storefrontNames };

  const under = (name: string) => (path === "" ? name : `${path}.${name}`);
  for (const [name, inner] of Object.entries(node.properties ?? {})) describe(inner, under(name), unused);
  if (typeof node.additionalProperties === "object") describe(node.additionalProperties, under("*"), unused);
}

export const eventsJsonSchema = (): Node =>
  z.toJSONSchema(announcementSchema, { target: "draft-7", io: "input" }) as Node;

/** Formatted as biome does it: a list of words stands on one line where it fits. */
export const textOf = (schema: Node): string =>
  `${JSON.stringify(schema, null, 2).replace(
    /^(.*)\[\n\s+([^[\]{}]*?)\n\s+\](,?)$/gm,
    (list, before: string, words: string, after: string) => {
      const joined = `${before}[${words.split(/,\n\s+/).join(", ")}]${after}`;
      return joined.length <= 120 ? joined : list;
    },
  )}\n`;

if (import.meta.main) {
  writeFileSync(schemaFile, textOf(catalogJsonSchema()));
  writeFileSync(eventsSchemaFile, textOf(eventsJsonSchema()));
}
