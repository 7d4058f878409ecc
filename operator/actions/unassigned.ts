/** Lists licenses at billmgr that are not assigned to a subscription, as candidates for an import. */
import type { SeenLicense } from "../../shared/billmgr/license.ts";
import { quantityShown } from "../../shared/licensing/import.ts";
import type { OperatorDependencies } from "./dependencies.ts";
import { holdersIn } from "./import.ts";

/** A live license that is not assigned to a subscription. `plan`: set if exactly one plan uses its pricelist. */
export type UnassignedLicense = Pick<SeenLicense, "elid" | "expiry" | "status" | "comment" | "pricelist"> & {
  family: string;
  plan?: string;
  quantity?: number;
};

/** `incomplete`: families whose list could not be read completely, with the reason. */
export type UnassignedLicenses = { licenses: UnassignedLicense[]; incomplete: Record<string, string> };

/** Lists the unassigned licenses of the catalog's families. Only reads. @throws ReadError */
export async function listUnassigned(
  { table, billmgr, catalog }: Pick<OperatorDependencies, "table" | "billmgr" | "catalog">,
  progress: (found: number) => void = () => {},
): Promise<UnassignedLicenses> {
  const holders = await holdersIn({ table });
  const found: UnassignedLicenses = { licenses: [], incomplete: {} };
  for (const family of new Set(Object.values(catalog.products).map((product) => product.family))) {
    const { rows, incomplete } = await billmgr.licenses(family);
    if (incomplete) found.incomplete[family] = incomplete;
    for (const row of rows) {
      if (row.status === "deleted" || holders.has(row.elid)) continue;
      // The list shows the pricelist's name instead of its code, and no addons.
      const form = await billmgr.license(family, row.elid);
      progress(found.licenses.length);
      if (!form || form.status === "deleted") continue;
      const [plan, another] = Object.entries(catalog.plans).flatMap(([name, plan]) => {
        const product = catalog.products[plan.product];
        return product?.family === family && String(product.pricelist) === form.pricelist ? [name] : [];
      });
      const isUnambiguous = plan !== undefined && another === undefined;
      const { pricelist = form.pricelist, ...shown } = row;
      const { elid, expiry, status, comment } = { ...form, ...shown };
      found.licenses.push({
        elid,
        family,
        ...(isUnambiguous && { plan, quantity: quantityShown(catalog, plan, form.addons) }),
        ...(pricelist && { pricelist }),
        ...(expiry && { expiry }),
        ...(status && { status }),
        ...(comment && { comment }),
      });
    }
  }
  return found;
}
