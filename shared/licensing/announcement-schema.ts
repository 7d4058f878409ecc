import * as z from "zod/mini";
import { announcementTypes } from "./announcement.ts";

const common = {
  /** The same on each delivery. */
  id: z.string(),
  version: z.literal(1),
  at: z.string(),
  storefront: z.string(),
  subscription: z.optional(z.string()),
  customer: z.object({ id: z.optional(z.string()), email: z.optional(z.string()) }),
};

const licenseChanged = z.object({
  ...common,
  type: z.enum(Object.values(announcementTypes)),
  subscription: z.string(),
  plan: z.string(),
  license: z.object({
    id: z.string(),
    family: z.string(),
    trial: z.optional(z.boolean()),
    suspended: z.optional(z.boolean()),
    addons: z.optional(z.record(z.string(), z.number())),
    expiry: z.optional(z.string()),
    key: z.optional(z.string()),
  }),
});

const attentionNeeded = z.object({
  ...common,
  type: z.literal("license.attention"),
  /** The reason's code: docs/attention.md. */
  code: z.string(),
  /** The reason as a sentence. */
  reason: z.string(),
  /** The id of the storefront's event, if the item is about one that was not understood. */
  event: z.optional(z.string()),
});

export const announcementSchema = z.discriminatedUnion("type", [licenseChanged, attentionNeeded]);
