import { createHash } from "node:crypto";
import { Temporal } from "temporal-polyfill";
import { type Addons, type Family, TRIAL, TRIAL_DAYS } from "./products.ts";
import type { Settings } from "./settings.ts";

/** Status codes (docs: ispsystem-licenses-soft). */
export const ORDERED = 1;
export const ACTIVE = 2;
export const STOPPED = 3;
export const DELETED = 4;
export const PROCESSING = 5;

/** Substatuses appear in the attribute `orig` of item_status. These names were observed in client areas of billmgr. */
export const AUTOSUSPENDED = "3_autosuspend";
/** The substatus after a suspension by the client is not documented. This is the nearest observed one. */
export const SUSPENDED_BY_REQUEST = "3_employeesuspend";
/** The substatus while billmgr applies changed parameters is not documented either. */
export const EDITING = "5_need_configure";

export type License = {
  id: string;
  family: Family;
  pricelist: number;
  period: number;
  status: number;
  substatus: string;
  createdAt: string;
  /** A date (UTC). The license ends when that day begins, which is the stricter interpretation. */
  expiry: string;
  /** The months by which billmgr prolongs automatically at expiry. */
  autoprolong: number | null;
  addons: Addons;
  remoteid: string;
  comment: string;
  licname: string;
  ip: string;
  lickey: string;
  suspendedByRequest: boolean;
  /** It was stopped at its expiry and prolonged since, and the prolong did not start it. */
  staysStopped?: true;
  /** It will be deleted after the processing. */
  deleting: boolean;
  processingUntil: string | null;
};

export function dateOf(instant: Date): string {
  return instant.toISOString().slice(0, 10);
}

/** Month ends are clamped: January 31 plus one month is February 28. */
export function addPeriod(date: string, period: number): string {
  return Temporal.PlainDate.from(date)
    .add(period === TRIAL ? { days: TRIAL_DAYS } : { months: period })
    .toString();
}

export function daysBetween(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(to).days;
}

export function isExpired(license: License, now: Date): boolean {
  return license.expiry <= dateOf(now);
}

export function startProcessing(license: License, substatus: string, until: Date): License {
  return { ...license, status: PROCESSING, substatus, processingUntil: until.toISOString() };
}

/** Applies the effects of time: the processing ends, the paid term ends. Returns the same object if nothing changed. */
export function settle(
  license: License,
  now: Date,
  { stuckProcessing: stuck, keySeconds }: Pick<Settings, "stuckProcessing" | "keySeconds">,
): License {
  if (license.status === ORDERED || license.status === DELETED) return license;
  const keyed = () => (license.lickey || isYounger(license, now, keySeconds) ? license : withKey(license));
  if (license.status !== PROCESSING) return withRestingStatus(keyed(), now);
  if (stuck || (license.processingUntil ?? "") > now.toISOString()) return license;
  if (license.deleting) return remove(license);
  return withRestingStatus({ ...keyed(), processingUntil: null }, now);
}

const isYounger = ({ createdAt }: License, now: Date, seconds: number): boolean =>
  now.getTime() < Date.parse(createdAt) + seconds * 1000;

const withKey = (license: License): License => ({ ...license, lickey: keyOf(license.id) });

export function suspend(license: License, now: Date): License {
  const suspended = { ...license, suspendedByRequest: true };
  return license.status === PROCESSING ? { ...suspended, substatus: "5_suspend" } : withRestingStatus(suspended, now);
}

export function resume({ staysStopped, ...license }: License, now: Date): License {
  const resumed = { ...license, suspendedByRequest: false };
  return license.status === PROCESSING ? { ...resumed, substatus: "5_resume" } : withRestingStatus(resumed, now);
}

export function remove(license: License): License {
  return { ...license, status: DELETED, substatus: String(DELETED), processingUntil: null };
}

/** The license after the processing, with the status that follows from suspension and expiry. */
function withRestingStatus(license: License, now: Date): License {
  if (license.suspendedByRequest) return withStatus(license, STOPPED, SUSPENDED_BY_REQUEST);
  if (isExpired(license, now) || license.staysStopped) return withStatus(license, STOPPED, AUTOSUSPENDED);
  return withStatus(license, ACTIVE, String(ACTIVE));
}

function withStatus(license: License, status: number, substatus: string): License {
  return license.status === status && license.substatus === substatus ? license : { ...license, status, substatus };
}

/** Keys begin with the license id, like the keys of ispmanager. */
function keyOf(id: string): string {
  return `${id}-${createHash("sha256").update(id).digest("hex").slice(0, 16)}`;
}
