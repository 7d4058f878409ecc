import { nameOf, type OperatorDependencies } from "./dependencies.ts";

/** A subscription that was found. `customer`: the storefront's id of the customer. `licenses`: their ids at billmgr. */
export type Found = { name: string; customer?: string; email?: string; licenses: string[] };

/** The first of the subscriptions that have, or had, exactly this id, customer id, e-mail address, license or reference. */
export async function find(text: string, { table }: Pick<OperatorDependencies, "table">, most = 100): Promise<Found[]> {
  const found: Found[] = [];
  for (const key of (await table.find(text)).slice(0, most)) {
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
