import { referenceOf } from "../licensing/operation.ts";
import type { Subscription } from "../licensing/subscription.ts";

/** Shortens a term to fit a partition key (2 KB) and a reference to the part that a subscription's references share. */
export const normalizeSearchTerm = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/^(bw-[0-9a-f]{16})-\d+-\d+$/, "$1")
    .slice(0, 500);

/** Search terms for a subscription: values that a customer quotes or billmgr displays. */
export function searchTermsOf(subscription: Subscription): string[] {
  const { id, customerId, email, slots } = subscription;
  const reference = referenceOf(subscription, { n: 1, generation: 1 });
  const elids = slots.flatMap(({ license }) => (license ? [license.elid] : []));
  const terms = [id, customerId?.value, email?.value, reference, ...elids].map((text = "") =>
    normalizeSearchTerm(text),
  );
  return [...new Set(terms)].filter((term) => term !== "");
}
