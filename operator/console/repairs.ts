import { html } from "hono/html";
import type { RepairName } from "../../shared/licensing/repair.ts";
import { askForm, button, changeForm, type Html } from "./parts.ts";

export type Repair = RepairName | "replay" | "dismiss";

/** What is on the button, and what it needs to be told. */
const faces: Record<Repair, { label: string; field?: { name: string; label: string; pattern?: string } }> = {
  retry: { label: "Try again" },
  adopt: { label: "Adopt…", field: { name: "elid", label: "it was bought as license", pattern: "[0-9]+" } },
  "never-bought": { label: "It was never bought…" },
  done: { label: "It is done…" },
  gone: { label: "It is gone…", field: { name: "elid", label: "somebody deleted license", pattern: "[0-9]+" } },
  replay: { label: "Read it again…" },
  dismiss: { label: "Dismiss…", field: { name: "why", label: "because" } },
};

/** A repair as its form asks for it: of an event of a subscription, `event` is that one's id. */
export type Asked = {
  repair: string;
  name: string;
  event?: string | undefined;
  elid?: string | undefined;
  why?: string | undefined;
  /** The number of the operation that the person saw. */
  operation?: string | undefined;
};

/**
 * The repairs that fit, as forms. Only a retry is made at once: it is always safe. All others tell first what they mean.
 * @param known what a field is filled with, where there is no doubt; `place` keeps several forms of one subscription apart
 */
export const repairForms = (
  token: string,
  asked: Pick<Asked, "name" | "event">,
  repairs: readonly Repair[],
  known: { [repair in Repair]?: string | undefined } & { place?: string } = {},
): Html =>
  html`<div class="repairs">${repairs.map((repair, i) => {
    const { label, field } = faces[repair];
    const fields = { repair, ...asked };
    const of = asked.event ?? asked.name;
    if (repair === "retry") return changeForm(token, "/repair", fields, button(label, i === 0 ? "primary" : "", of));
    const id = `${repair}-${known.place ?? asked.name}-${asked.event ?? ""}`.replace(/[^\w-]/g, "_");
    const input =
      field &&
      html`<label for="${id}">${field.label}</label><input id="${id}" name="${field.name}" required${field.pattern ? html` pattern="${field.pattern}" inputmode="numeric" size="8"` : html` size="18"`} value="${known[repair] ?? ""}">`;
    return askForm("/repair", fields, html`${input ?? ""}${button(label, "", of)}`);
  })}</div>`;
