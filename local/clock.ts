import { Temporal } from "temporal-polyfill";

/** The local time: real time, moved. */
export type Clock = { now: () => Date; moveTo: (moment: Date) => void; offset: () => number };

export function createClock(offset: number): Clock {
  let ahead = offset;
  return {
    now: () => new Date(Date.now() + ahead),
    moveTo: (moment) => {
      ahead = moment.getTime() - Date.now();
    },
    offset: () => ahead,
  };
}

/** The moment an ISO 8601 duration after another, by the calendar in UTC; undefined when it is none, or goes back. */
export function after(moment: Date, duration: unknown): Date | undefined {
  try {
    const span = Temporal.Duration.from(String(duration));
    if (span.sign < 0) return undefined;
    const from = Temporal.Instant.fromEpochMilliseconds(moment.getTime()).toZonedDateTimeISO("UTC");
    return new Date(from.add(span).epochMilliseconds);
  } catch {
    return undefined;
  }
}
