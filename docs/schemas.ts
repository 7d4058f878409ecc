import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { announcementSchema } from "../shared/licensing/announcement-schema.ts";
import { catalogSchema } from "../shared/licensing/catalog.ts";
import { storefrontNames } from "../shared/licensing/event.ts";

// Generates the JSON schemas of the catalog and of the published events: `npm run schema`.

/** The catalog's `$schema` points here. */
export const schemaFile = fileURLToPath(new URL("catalog.schema.json", import.meta.url));

/** The schema of published events: docs/events.md. */
export const eventsSchemaFile = fileURLToPath(new URL("events.schema.json", import.meta.url));

/** By path in the schema. */
type Descriptions = Record<string, string>;

/** Editors show these at each path; "*" is a name that the catalog's author chooses. The full reference is docs/catalog.md. */
const catalogDescriptions: Descriptions = {
  $schema: "The path of this schema. Only editors use it.",
  billmgr: "ISPsystem's billing.",
  "billmgr.url": "billmgr's address: https (http only on this machine), without user, password, or query.",
  "billmgr.fundsErrors":
    "Words in the type, object, or text of an error that mark it as an error about money. The order then waits until the balance rises.",
  products: "The products that billmgr sells, by names that you choose.",
  "products.*": "One tariff plan of billmgr.",
  "products.*.pricelist": "billmgr's code of the tariff plan: 55163 is VMmanager 6, 55161 is DCImanager 6.",
  "products.*.family": 'The first part of billmgr\'s function names: "platform.order.param" or "soft.order.param".',
  "products.*.addons": "billmgr's codes of the addons, by names that you choose.",
  "products.*.addons.*": 'The code N of billmgr\'s parameter "addon_N".',
  plans:
    "The plans that you sell, by names that you choose. An event of the storefront standard contains the plan's name.",
  "plans.*": "One plan that you sell, and the licenses that it entitles a customer to.",
  "plans.*.product": "A name under products.",
  "plans.*.period": "Months bought at a time: 1 or 12 for platform.",
  "plans.*.addons": "The number of each addon that a license gets. Use the names of the product's addons.",
  "plans.*.addons.*": "The value is base + perUnit * quantity.",
  "plans.*.addons.*.base": "The number at any quantity.",
  "plans.*.addons.*.perUnit": "The number to add for each unit of the quantity.",
  "plans.*.quantity":
    '"addons": one license, whose addons grow with the quantity. "licenses": as many licenses as the quantity.',
  "plans.*.trial": "The license to order for a free trial. Without it, a trial orders a paid license.",
  "plans.*.trial.period": "billmgr's code of the trial period: -100.",
  "plans.*.autoprolong":
    "Months that billmgr renews automatically. Leave it at null: the storefront drives renewals, and two drivers pay twice.",
  "plans.*.soldAs": "The storefronts' own ids of the items that are sold as this plan.",
  "plans.*.soldAs.*": "For Stripe, the ids of prices or products.",
  extras: "Items that you sell in addition to a plan. They add to the addons of its license.",
  "extras.*": "One extra.",
  "extras.*.product": "A name under products. The same subscription must contain a plan of this product.",
  "extras.*.addons": "The addons to add. Use the names of the product's addons.",
  "extras.*.addons.*": "The extra adds base + perUnit * quantity.",
  "extras.*.addons.*.base": "The number at any quantity.",
  "extras.*.addons.*.perUnit": "The number to add for each unit of the quantity.",
  "extras.*.soldAs": "The storefronts' own ids of the items that are sold as this extra.",
  "extras.*.soldAs.*": "For Stripe, the ids of prices or products.",
  ignored: "Items that the storefronts sell in addition to licenses, such as support hours.",
  "ignored.*": "The storefront's own ids. An item that is neither sold nor ignored needs attention.",
  policy: "How and when licenses follow the payments.",
  "policy.graceDays": "Days that a license keeps running unpaid before it is suspended. Grace buys no time at billmgr.",
  "policy.onEnd":
    'The action at the end of a subscription. "suspend": suspend the licenses, and delete them retentionDays later. "delete": delete them immediately. "lapse": let them expire.',
  "policy.retentionDays": 'With "onEnd": "suspend", the days from the end to the deletion.',
  "policy.renew":
    '"on_payment": buy all paid periods immediately. "before_expiry": buy one period at a time, renewAheadDays before expiry.',
  "policy.renewAheadDays": "Days before the expiry of a license at which the next period is bought.",
  "policy.slackDays":
    "For a subscription that is set to end, a remainder of up to this many days does not buy another period.",
  "policy.late":
    'What a payment buys that comes after a gap longer than graceDays and slackDays. "order": a new license for the paid days. "prolong": the old license is prolonged from its expiry, and the days of the gap are lost.',
  "policy.orderGuard":
    'What happens if billmgr cannot show whether an order was made before. "strict": no order, but an attention item. "lenient": the order is made.',
  "policy.shopifyOrders":
    'To which subscription a paid order of Shopify belongs. "contract": to the contract that claims it. "customer": to the customer and the variant, for the period of its plan, where another app owns the contracts.',
  "policy.acceptTestMode": "On AWS, whether events from a storefront's test mode buy real licenses.",
  limits: "Limits on the damage that a broken shop can do.",
  "limits.ordersPerHour": "Orders in one clock hour (UTC). Further orders need attention.",
  "limits.ordersPerDay": "Orders in one day (UTC). Further orders need attention.",
  "limits.exchangesPerMonth":
    "Licenses that a subscription may buy in 31 days without a new payment: another product within paid time, or one that was lost.",
  "limits.minimumBalance":
    "The balance, in the account's currency, below which a purchase causes a warning. Without it, the balance is not read before a purchase.",
  "limits.concurrency": "Subscriptions processed at a time, and therefore calls to billmgr at a time.",
};

/** The tables of docs/events.md, in short. */
const eventDescriptions: Descriptions = {
  id: "The same at every delivery of this event.",
  version: "Rises when an existing field changes. New fields can appear at any time.",
  at: "The time at which the operation finished, or since which attention is needed.",
  storefront: "The storefront of the subscription.",
  subscription: "The storefront's id of the subscription.",
  customer: "The customer, as far as the storefront has sent it.",
  "customer.id": "The storefront's id of the customer.",
  "customer.email": "The customer's latest e-mail address.",
  type: "The kind of event, also the event's detail-type on the bus.",
  plan: "The plan's name in the catalog.",
  license: "The license as the operation left it. A deleted license contains only id and family.",
  "license.id": "billmgr's id of the license (elid).",
  "license.family": 'The first part of billmgr\'s function names: "platform" or "soft".',
  "license.trial": "Whether it is a trial license.",
  "license.suspended": "Whether it is suspended.",
  "license.addons": "The values of the addons, by billmgr's codes.",
  "license.addons.*": "The value of one addon.",
  "license.expiry": "The last day (YYYY-MM-DD) that billmgr shows.",
  "license.key": "billmgr's activation key (lickey), if billmgr shows one.",
  code: "Why, as a code that stays the same: docs/attention.md lists them. not_understood: an event.",
  reason: "Why attention is needed.",
  event: "The storefront's id of an event that was not understood.",
};

type Node = {
  [keyword: string]: unknown;
  properties?: Record<string, Node>;
  additionalProperties?: Node | boolean;
};

/**
 * The catalog's JSON Schema, generated from the schema that the functions use. Only `parseCatalog` checks names that
 * refer to other names.
 */
export function catalogJsonSchema(): Node {
  // Editors fully support draft 7 only. zod shares the object of a repeated schema, so copy it before adding descriptions.
  const written = JSON.stringify(z.toJSONSchema(catalogSchema, { target: "draft-7", io: "input" }));
  const { $schema, ...schema } = JSON.parse(written) as Node;
  describeAll([schema], catalogDescriptions);
  return { $schema, title: "The catalog of billmgr-webhooks", ...schema };
}

/** @throws Error for a path without a description, and for a description without a path */
function describeAll(schemas: readonly Node[], descriptions: Descriptions): void {
  const unused = new Set(Object.keys(descriptions));
  for (const schema of schemas) describe(schema, "", descriptions, unused);
  if (unused.size > 0) throw new Error(`the schema contains no ${[...unused].join(", ")}: remove the descriptions`);
}

function describe(node: Node, path: string, descriptions: Descriptions, unused: Set<string>): void {
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
  for (const [name, inner] of Object.entries(node.properties ?? {})) describe(inner, under(name), descriptions, unused);
  if (typeof node.additionalProperties === "object")
    describe(node.additionalProperties, under("*"), descriptions, unused);
}

export function eventsJsonSchema(): Node {
  const { $schema, ...schema } = z.toJSONSchema(announcementSchema, { target: "draft-7", io: "input" }) as Node;
  describeAll(schema.oneOf as Node[], eventDescriptions);
  return { $schema, title: "The events of billmgr-webhooks", ...schema };
}

/** Formatted as biome does it: a list of words is on one line if it fits. */
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
