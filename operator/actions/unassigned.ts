import type { SeenLicense } from "../../shared/billmgr/license.ts";
import { quantityShown } from "../../shared/licensing/import.ts";
import type { OperatorDependencies } from "./dependencies.ts";
import { holdersIn } from "./import.ts";

/** A living license that no subscription holds. `plan`: where one alone is made of its pricelist. */
export type Unheld = Pick<SeenLicense, "elid" | "expiry" | "status" | "comment" | "pricelist"> & {
  family: string;
  plan?: string;
  quantity?: number;
};

/** `incomplete`: families whose list could not be read whole, and why. */
export type AllUnheld = { licenses: Unheld[]; incomplete: Record<string, string> };

/** Of the families of the catalog. Reads only. @throws ReadError */
export async function unassigned(
  { table, billmgr, catalog }: Pick<OperatorDependencies, "table" | "billmgr" | "catalog">,
  progress: (read: number) => void = () => {},
): Promise<AllUnheld> {
  const holders = await holdersIn({ table });
  const found: AllUnheld = { licenses: [], incomplete: {} };
  for (const family of new Set(Object.values(catalog.products).map((product) => product.family))) {
    const { rows, incomplete } = await billmgr.licenses(family);
    if (incomplete) found.incomplete[family] = incomplete;
    for (const row of rows) {
      if (row.status === "deleted" || holders.has(row.elid)) continue;
      // The list tells the pricelist's name, and no addons.
      const form = await billmgr.license(family, row.elid);
      progress(found.licenses.length);
      if (!form || form.status === "deleted") continue;
      const [plan, another] = Object.entries(catalog.plans).flatMap(([name, { product }]) => {
        const of = catalog.products[product];
        return of?.family === family && String(of.pricelist) === form.pricelist ? [name] : [];
      });
      const known = plan !== undefined && another === undefined;
      const { pricelist = form.pricelist, ...shown } = row;
      const { elid, expiry, status, comment } = { ...form, ...shown };
      found.licenses.push({
        elid,
        family,
        ...(known && { plan, quantity: quantityShown(catalog, plan, form.addons) }),
        ...(pricelist && { pricelist }),
        ...(expiry && { expiry }),
        ...(status && { status }),
        ...(comment && { comment }),
      });
    }
  }
  return found;
}
