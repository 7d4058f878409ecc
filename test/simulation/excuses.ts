import type { Change } from "../../shared/licensing/operation.ts";
import type { Reason } from "../../shared/licensing/reasons.ts";
import type { Difference } from "./oracle.ts";

/** What an attention item about a change may hold up, apart from what else it has to leave alone. */
const heldUp: Record<Change["kind"], readonly Difference["needs"][]> = {
  // An old license goes only when the new one is there.
  order: ["purchase", "end"],
  prolong: ["purchase"],
  edit: ["edit"],
  suspend: ["service"],
  resume: ["service"],
  delete: ["purchase", "edit", "service", "end"],
};

/** Items that are about what was sold hold up neither an end nor a suspension. */
const aboutItems: readonly Reason["code"][] = [
  "unknown_item",
  "extra_without_plan",
  "addon_too_large",
  "nothing_sold",
  "plan_not_stated",
  "too_many_licenses",
];

/** Whether an attention item explains a difference: it blocks only the change that it concerns. */
export function excuses(reason: Reason, needs: Difference["needs"]): boolean {
  if ("change" in reason) return heldUp[reason.change.kind].includes(needs);
  return !aboutItems.includes(reason.code) || needs === "edit" || needs === "purchase";
}
