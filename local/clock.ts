import { Temporal } from "temporal-polyfill";

/** The local time: real time plus an offset in milliseconds. */
export type Clock = { now: () => Date; moveTo: (moment: Date) => void; offset: () => number };

export function createClock(initialOffset: number): Clock {
  let offset = initialOffset;
  return {
    now: () => new Date(Date.now() + offset),
    moveTo: (moment) => {
      offset = moment.getTime() - Date.now();
    },
    offset: () => offset,
  };
}

/** Adds an ISO 8601 duration, by the calendar in UTC. @returns undefined if the duration is invalid or negative */
export function addDuration(moment: Date, duration: unknown): Date | undefined {
  try {
    const span = Temporal.Duration.from(String(duration));
    if (span.sign < 0) return undefined;
    const from = Temporal.Instant.fromEpochMilliseconds(moment.getTime()).toZonedDateTimeISO("UTC");
    return new Date(from.add(span).epochMilliseconds);
  } catch {
    return undefined;
  }
}
