import * as z from "zod/mini";
import { explain } from "../../../shared/problems.ts";

/** What a person sent to /sandbox/* is not as expected; said in words. */
export class Invalid extends Error {}

export function checked<S extends z.core.$ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw new Invalid(`${what}: ${explain(schema, parsed.error.issues, value).join("; ")}`);
  return parsed.data;
}
