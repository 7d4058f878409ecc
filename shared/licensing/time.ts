/** A moment, ISO 8601 in UTC with milliseconds ("2026-11-23T08:00:00.000Z"): two of them compare as strings. */
export type Instant = string;

/** That of an event which tells none: before all others, and the same at each delivery, so that it is stored once. */
export const noTimestamp: Instant = "1970-01-01T00:00:00.000Z";

/** A calendar day, "2026-11-23": all that billmgr tells of an expiry. Counted in UTC. */
export type Day = string;

export const toInstant = (time: Date | number): Instant => new Date(time).toISOString();

export const dayOf = (instant: Instant): Day => instant.slice(0, 10);

/** February 30 is none, though Date takes it for a day of March. */
export const isDay = (text: string): boolean => {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(`${text}T`);
};

export const startOf = (day: Day): Instant => `${day}T00:00:00.000Z`;

const dayMs = 86_400_000;

/** Month ends are kept within the month: January 31 and one month is February 28 or 29. */
export function instantPlusMonths(instant: Instant, months: number): Instant {
  const from = new Date(instant);
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + months];
  const day = Math.min(Date.UTC(year, month, from.getUTCDate()), Date.UTC(year, month + 1, 0));
  return toInstant(day + (from.getTime() % dayMs));
}

export const instantPlus = (instant: Instant, span: { days?: number; seconds?: number }): Instant =>
  toInstant(Date.parse(instant) + (span.days ?? 0) * dayMs + (span.seconds ?? 0) * 1000);

export const addMonths = (day: Day, months: number): Day => dayOf(instantPlusMonths(startOf(day), months));

export const addDays = (day: Day, days: number): Day => dayOf(instantPlus(startOf(day), { days }));

export const daysBetween = (from: Day, to: Day): number =>
  (Date.parse(startOf(to)) - Date.parse(startOf(from))) / dayMs;

export const secondsBetween = (from: Instant, to: Instant): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / 1000);

export const earliest = (instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants.reduce((first, one) => (first === undefined || (one !== undefined && one < first) ? one : first), undefined);

export const latest = (instants: readonly (Instant | undefined)[]): Instant | undefined =>
  instants.reduce((last, one) => (last === undefined || (one !== undefined && one > last) ? one : last), undefined);
