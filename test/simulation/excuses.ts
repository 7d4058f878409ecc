import type { Change } from "../../shared/licensing/operation.ts";
import type { Reason } from "../../shared/licensing/reasons.ts";
import type { Difference } from "./oracle.ts";

/** The differences that an attention item about a change can explain. It must not block other changes. */
const blockedBy: Record<Change["kind"], readonly Difference["needs"][]> = {
  // An old license is deleted only when the new one exists.
  order: ["purchase", "end"],
  prolong: ["purchase"],
  edit: ["edit"],
  suspend: ["service"],
  resume: ["service"],
  delete: ["purchase", "edit", "service", "end"],
};

/** Reasons about the sold items. They block neither an end nor a suspension. */
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
  if ("change" in reason) return blockedBy[reason.change.kind].includes(needs);
  return !aboutItems.includes(reason.code) || needs === "edit" || needs === "purchase";
}
