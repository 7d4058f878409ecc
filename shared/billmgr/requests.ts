import type { Change } from "../licensing/operation.ts";

/** The parameters of each change, as the reselling documentation lists them; authinfo is added when they are sent. */
export function requestOf(change: Change, reference: string): Record<string, string> {
  const common = { out: "xml", lang: "en" };
  switch (change.kind) {
    case "order":
      return {
        ...common,
        func: `${change.family}.order.param`,
        clicked_button: "finish",
        sok: "ok",
        skipbasket: "on",
        pricelist: String(change.pricelist),
        period: String(change.period),
        autoprolong: String(change.autoprolong),
        // Undocumented for platform.order.param (it is for soft.order.param), so the comment carries it too.
        remoteid: reference,
        comment: reference,
        ...addonParams(change.addons),
      };
    case "prolong":
      return { ...common, func: "service.prolong", elid: change.elid, period: String(change.period), sok: "ok" };
    case "edit":
      return {
        ...common,
        func: `${change.family}.edit`,
        elid: change.elid,
        sok: "ok",
        // A form submitted without a field may empty it, and the reference must stay.
        comment: reference,
        ...addonParams(change.addons),
      };
    case "suspend":
    case "resume":
    case "delete":
      return { ...common, func: `${change.family}.${change.kind}`, elid: change.elid };
  }
}

const addonParams = (addons: Record<string, number>): Record<string, string> =>
  Object.fromEntries(Object.entries(addons).map(([code, value]) => [`addon_${code}`, String(value)]));
