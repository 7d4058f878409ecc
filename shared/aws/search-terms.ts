import { referenceOf } from "../licensing/operation.ts";
import type { Subscription } from "../licensing/subscription.ts";

/** A key of the table has 2 KB. All references of a subscription begin alike. */
export const normalizeSearchTerm = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/^(bw-[0-9a-f]{16})-\d+-\d+$/, "$1")
    .slice(0, 500);

/** By what an operator may look for a subscription: what a customer writes, and what billmgr shows. */
export function searchTermsOf(subscription: Subscription): string[] {
  const { id, customerId, email, slots } = subscription;
  const reference = referenceOf(subscription, { n: 1, generation: 1 });
  const elids = slots.flatMap(({ license }) => (license ? [license.elid] : []));
  const texts = [id, customerId?.value, email?.value, reference, ...elids].map((text = "") =>
    normalizeSearchTerm(text),
  );
  return [...new Set(texts)].filter((text) => text !== "");
}
