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
  /** A status is shown, and not in a form that is understood: then nothing is taken for healthy. */
  unreadableStatus?: string;
  /** It is set to be deleted later. */
  closes?: true;
  /** Stopped by billmgr itself at expiry, not by a request. */
  autosuspended: boolean;
  expiry?: Day;
  createdOn?: Day;
  remoteid?: string;
  comment?: string;
  /** "" where it is shown and not there yet: billmgr makes it a while after the order. */
  key?: string;
  /** By addon code. */
  addons: Record<string, number>;
  /** In a form its code, in a list its name. */
  pricelist?: string;
};

/** By a request: what billmgr stopped itself at expiry goes on when it is prolonged. */
export const isSuspended = ({ status, autosuspended }: SeenLicense): boolean => status === "stopped" && !autosuspended;

/** Reads a list's row or the form of one license. */
export function seenLicense(element: Element, elid = textOf(element, "id") ?? ""): SeenLicense {
  const { status, unreadableStatus } = statusOf(element);
  const remoteid = textOf(element, "remoteid");
  // Shown and empty is a comment too: such a license is not one of ours.
  const comment = child(element, "comment") && (textOf(element, "comment") ?? "");
  const key = child(element, "lickey") && (textOf(element, "lickey") ?? "");
  // In lists "expiredate" can be a label ("Daily charges") where "real_expiredate" is the date.
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
 * The status in every form that it was seen in, best first: its number, the attribute "orig" (with a detail after "_"),
 * the real status of list rows, and the plain text of "item_status" where that is a number. A display text is in the
 * account's language.
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

/** A day, with or without a time behind it. Databases store a missing date as "0000-00-00"; date arithmetic on it would fail on every retry. */
export const dayIn = (text = ""): Day | undefined => {
  const [day = ""] = /^2[01]\d\d-\d\d-\d\d/.exec(text) ?? [];
  return isDay(day) ? day : undefined;
};

/** An id as billmgr counts them. Nothing else is taken for a license: a form that is sent without one makes a new one. */
export const isElid = (text: string | undefined): text is string => text !== undefined && /^\d{1,18}$/.test(text);

/** "addon_55165" holds the value to be; some forms tell the present one beside it as "addon_55165_current_value". */
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
