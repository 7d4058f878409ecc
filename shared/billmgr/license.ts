import { type Day, isDay } from "../licensing/time.ts";
import { attribute, child, children, type Element, textOf } from "./reply.ts";

/** docs: "ISPsystem licenses (soft)": 1 ordered, 2 active, 3 stopped, 4 deleted, 5 processing. */
export type Status = "ordered" | "active" | "stopped" | "deleted" | "processing";
const statuses: Record<string, Status> = {
  "1": "ordered",
  "2": "active",
  "3": "stopped",
  "4": "deleted",
  "5": "processing",
};

/** A license as billmgr shows it. Which fields it shows differs by function and account, so each may be absent. */
export type SeenLicense = {
  elid: string;
  status?: Status;
  /** A status that is shown but not understood. Such a license never counts as active. */
  unreadableStatus?: string;
  /** The license is scheduled to be deleted. */
  closes?: true;
  /** Stopped by billmgr itself at expiry, not by a request. */
  autosuspended: boolean;
  expiry?: Day;
  createdOn?: Day;
  remoteid?: string;
  comment?: string;
  /** The activation key. It is "" if the field is shown but empty, because billmgr creates the key after the order. */
  key?: string;
  /** By addon code. */
  addons: Record<string, number>;
  /** The code in a form, the name in a list. */
  pricelist?: string;
};

/** Whether a request suspended the license. One that billmgr stopped at its expiry resumes when it is prolonged. */
export const isSuspended = ({ status, autosuspended }: SeenLicense): boolean => status === "stopped" && !autosuspended;

/** Reads a list's row or the form of one license. */
export function seenLicense(element: Element, elid = textOf(element, "id") ?? ""): SeenLicense {
  const { status, unreadableStatus } = statusOf(element);
  const remoteid = textOf(element, "remoteid");
  // An empty comment counts as shown: it proves that the license does not carry our reference.
  const comment = child(element, "comment") && (textOf(element, "comment") ?? "");
  const key = child(element, "lickey") && (textOf(element, "lickey") ?? "");
  // In lists "expiredate" can be a label ("Daily charges"). Then "real_expiredate" contains the date.
  const expiry = dayIn(textOf(element, "real_expiredate")) ?? dayIn(textOf(element, "expiredate"));
  const createdOn = dayIn(textOf(element, "createdate"));
  const pricelist = textOf(element, "pricelist");
  return {
    elid,
    ...(status && { status }),
    ...(unreadableStatus && { unreadableStatus }),
    ...(textOf(element, "scheduledclose") === "on" && { closes: true as const }),
    autosuspended: origOf(element) === "3_autosuspend",
    ...(expiry && { expiry }),
    ...(createdOn && { createdOn }),
    ...(remoteid && { remoteid }),
    ...(comment !== undefined && { comment }),
    ...(key !== undefined && { key }),
    addons: addonsOf(element),
    ...(pricelist && { pricelist }),
  };
}

/** The display text of a status is in the account's language; "orig" holds the code, its detail after "_". */
const origOf = (element: Element): string | undefined => {
  const shown = child(element, "item_status");
  return (shown && attribute(shown, "orig")) ?? textOf(element, "item_status_orig");
};

/**
 * Reads the status from every field that was observed to contain it, best first: the number, the attribute "orig" (with
 * a detail after "_"), the real status of list rows, and the text of "item_status" if it is a number. A display text is
 * in the account's language.
 */
function statusOf(element: Element): { status?: Status; unreadableStatus?: string } {
  const shown = [
    textOf(element, "status"),
    origOf(element),
    textOf(element, "item_real_status"),
    textOf(element, "item_status"),
  ].filter((text) => text !== undefined);
  const code = shown.find((text) => /^[1-5](_|$)/.test(text));
  const status = code === undefined ? undefined : statuses[code.slice(0, 1)];
  if (status) return { status };
  const [unreadableStatus] = shown;
  return unreadableStatus === undefined ? {} : { unreadableStatus: unreadableStatus.slice(0, 60) };
}

/** A day, with or without a time after it. Databases store a missing date as "0000-00-00", which is not a day. */
export const dayIn = (text = ""): Day | undefined => {
  const [day = ""] = /^2[01]\d\d-\d\d-\d\d/.exec(text) ?? [];
  return isDay(day) ? day : undefined;
};

/** Whether a text is a license number. The check is strict: a form that is sent without one makes a new license. */
export const isElid = (text: string | undefined): text is string => text !== undefined && /^\d{1,18}$/.test(text);

/** "addon_55165" contains the new value. Some forms contain the present one in "addon_55165_current_value". */
function addonsOf(element: Element): Record<string, number> {
  const addons: Record<string, number> = {};
  for (const name of Object.keys(element)) {
    const [, code] = /^addon_(\d+)$/.exec(name) ?? [];
    if (code === undefined) continue;
    const value = textOf(element, `${name}_current_value`) ?? textOf(element, name);
    if (value !== undefined && /^\d{1,9}$/.test(value)) addons[code] = Number(value);
  }
  return addons;
}

export type Page = { rows: SeenLicense[]; total?: number };

export function pageOf(doc: Element): Page {
  const total = textOf(doc, "p_elems");
  const rows = children(doc, "elem")
    .map((row) => seenLicense(row))
    .filter(({ elid }) => isElid(elid));
  return { rows, ...(total !== undefined && /^\d+$/.test(total) && { total: Number(total) }) };
}
