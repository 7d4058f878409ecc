/** Checks of the requests to /sandbox/*. */

import * as z from "zod/mini";
import { ExpectedError } from "../../../shared/errors.ts";
import { explain, formatProblem } from "../../../shared/problems.ts";

/** A request to /sandbox/* that does not have the expected content. */
export class InvalidRequest extends ExpectedError {
  override name = "InvalidRequest";
  readonly code = "invalid_request";
}

/** @throws InvalidRequest with each problem */
export function checked<S extends z.core.$ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = z.safeParse(schema, value);
  if (parsed.success) return parsed.data;
  const problems = explain(schema, parsed.error.issues, value).map(formatProblem);
  throw new InvalidRequest(`${what}: ${problems.join("; ")}`);
}
