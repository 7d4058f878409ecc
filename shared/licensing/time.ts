/** A moment in ISO 8601, in UTC with milliseconds: "2026-11-23T08:00:00.000Z". Instants compare as strings. */
export type Instant = string;

/** The time of an event that contains none. It sorts first, and is the same on each delivery, which deduplication needs. */
export const noTimestamp: Instant = "1970-01-01T00:00:00.000Z";

/** A calendar day in UTC, such as "2026-11-23". billmgr shows an expiry as a day without a time. */
export type Day = string;

export const toInstant = (time: Date | number): Instant => new Date(time).toISOString();

export const dayOf = (instant: Instant): Day => instant.slice(0, 10);

/** Date turns February 30 into a day of March, so the parsed day is compared to the text. */
export const isDay = (text: string): boolean => {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(`${text}T`);
};

export const startOf = (day: Day): Instant => `${day}T00:00:00.000Z`;

const dayMs = 86_400_000;

/** Stays within the month: January 31 plus one month is February 28 or 29. */
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
