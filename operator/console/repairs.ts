/** The repairs as forms, and the requests that these forms send. */
import { html } from "hono/html";
import type { RepairName } from "../../shared/licensing/repair.ts";
import { button, getForm, type Html, postForm } from "./parts.ts";

export type Repair = RepairName | "replay" | "dismiss";

/** The button of each repair, and the field that it requires. */
const controls: Record<Repair, { label: string; field?: { name: string; label: string; pattern?: string } }> = {
  retry: { label: "Retry" },
  adopt: { label: "Adopt…", field: { name: "elid", label: "It was bought as license", pattern: "[0-9]+" } },
  "never-bought": { label: "It was never bought…" },
  done: { label: "It is done…" },
  gone: { label: "It is gone…", field: { name: "elid", label: "Deleted license", pattern: "[0-9]+" } },
  replay: { label: "Replay…" },
  dismiss: { label: "Dismiss…", field: { name: "why", label: "Reason" } },
};

/** `event` is an event id of the subscription `name`. Without it, `name` may be an event that has no subscription. */
export type RepairRequest = {
  repair: string;
  name: string;
  event?: string | undefined;
  elid?: string | undefined;
  why?: string | undefined;
  /** The number of the operation that the operator confirmed. */
  operation?: string | undefined;
};

export function parseRepairRequest(fields: Record<string, unknown>): RepairRequest {
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === "string" && value !== "" ? value.trim() : undefined;
  };
  return {
    repair: text("repair") ?? "",
    name: text("name") ?? "",
    event: text("event"),
    elid: text("elid"),
    why: text("why"),
    operation: text("operation"),
  };
}

/**
 * Forms for the repairs that apply. A retry is always safe and is made immediately; every other repair asks for
 * confirmation first.
 * @param values prefills the fields
 * @param idPrefix keeps the ids of several forms for one subscription apart
 */
export const repairForms = (
  token: string,
  target: Pick<RepairRequest, "name" | "event">,
  repairs: readonly Repair[],
  { values = {}, idPrefix = target.name }: { values?: Partial<Record<Repair, string>>; idPrefix?: string } = {},
): Html =>
  html`<div class="repairs">${repairs.map((repair, i) => {
    const { label, field } = controls[repair];
    const fields = { repair, ...target };
    const subject = target.event ?? target.name;
    if (repair === "retry") return postForm(token, "/repair", fields, button(label, i === 0 ? "primary" : "", subject));
    const id = `${repair}-${idPrefix}-${target.event ?? ""}`.replace(/[^\w-]/g, "_");
    const input =
      field &&
      html`<label for="${id}">${field.label}</label><input id="${id}" name="${field.name}" required${field.pattern ? html` pattern="${field.pattern}" inputmode="numeric" size="8"` : html` size="18"`} value="${values[repair] ?? ""}">`;
    return getForm("/repair", fields, html`${input ?? ""}${button(label, "", subject)}`);
  })}</div>`;
