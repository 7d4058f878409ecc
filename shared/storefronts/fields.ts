import * as z from "zod/mini";
import { type Instant, isDay, toInstant } from "../licensing/time.ts";
import { explain, formatPath } from "../problems.ts";

/** Describes the first problem of an event as "path: problem", without its values, which may be private. */
export const problemIn = (schema: z.core.$ZodType, error: z.core.$ZodError, value: unknown): string => {
  const [problem] = explain(schema, error.issues, value, { showValues: false });
  return problem ? `${formatPath(problem.path)}: ${problem.text.replace(/^is /, "")}` : "";
};

/** Ids come as text or as numbers (WHMCS, Shopify); longer ones would not fit a table key, nor would half a character. */
export const id = z.pipe(
  z.union([z.string().check(z.minLength(1), z.maxLength(200)), z.int()]),
  z.transform((value) => String(value).toWellFormed()),
);

/** A count, also as text, which PHP's database drivers return. */
export const countUpTo = (most: number, least = 0) =>
  z.pipe(
    z.union([z.number(), z.string().check(z.regex(/^\d{1,9}$/))]).check(
      z.refine((value) => Number.isInteger(Number(value)) && Number(value) >= least && Number(value) <= most, {
        message: `a whole number from ${least} to ${most}`,
      }),
    ),
    z.transform((value) => Number(value)),
  );

/** A malformed address is no reason to refuse a payment. */
export const email = z.catch(z.nullish(z.string().check(z.maxLength(320))), undefined);

/** A boolean that a vendor omits or sends as null. */
export const flag = (fallback: boolean) =>
  z.pipe(
    z.nullish(z.boolean()),
    z.transform((value) => value ?? fallback),
  );

/** A list that a vendor omits or sends as null. */
export const listOf = <T extends z.core.$ZodType>(element: T) =>
  z.pipe(
    z.nullish(z.array(element)),
    z.transform((list) => list ?? []),
  );

const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** ISO 8601. A time without a zone is UTC, and so is a day without a time. */
export const time = z.pipe(
  z.string().check(
    z.refine((text) => isoTime.test(text) && isDay(text.slice(0, 10)) && isInRange(Date.parse(inUtc(text))), {
      message: 'an ISO 8601 time like "2027-01-31T00:00:00Z"',
    }),
  ),
  z.transform((text): Instant => toInstant(Date.parse(inUtc(text)))),
);

/** Unix seconds. */
export const unixTime = z.pipe(
  z.int().check(z.refine((seconds) => isInRange(seconds * 1000), { message: "a Unix time in seconds" })),
  z.transform((seconds): Instant => toInstant(seconds * 1000)),
);

/** Unix milliseconds. */
export const unixTimeMs = z.pipe(
  z.int().check(z.refine(isInRange, { message: "a Unix time in milliseconds" })),
  z.transform((ms): Instant => toInstant(ms)),
);

const inUtc = (text: string): string => {
  const iso = text.replace(" ", "T");
  return /T/.test(iso) && !/(?:Z|[+-]\d\d:?\d\d)$/.test(iso) ? `${iso}Z` : iso;
};

/** Outside these years a time is a mistake, such as milliseconds for seconds or a zero. */
function isInRange(ms: number): boolean {
  return ms >= Date.UTC(2000, 0) && ms < Date.UTC(2200, 0);
}
