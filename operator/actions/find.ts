/** Searches subscriptions by what a customer quotes or billmgr displays. */
import { nameOf, type OperatorDependencies } from "./dependencies.ts";

/** A search hit. `customer` is the storefront's customer id; `licenses` are billmgr's license ids. */
export type FoundSubscription = { name: string; customer?: string; email?: string; licenses: string[] };

/** Finds subscriptions that have or once had exactly this id, customer id, e-mail address, license, or reference. */
export async function find(
  text: string,
  { table }: Pick<OperatorDependencies, "table">,
  maxFound = 100,
): Promise<FoundSubscription[]> {
  const found: FoundSubscription[] = [];
  for (const key of (await table.find(text)).slice(0, maxFound)) {
    const stored = await table.load(key);
    if (!stored) continue;
    const { customerId, email, slots } = stored.subscription;
    found.push({
      name: nameOf(key),
      ...(customerId && { customer: customerId.value }),
      ...(email && { email: email.value }),
      licenses: slots.flatMap(({ license }) => (license ? [license.elid] : [])),
    });
  }
  return found;
}
