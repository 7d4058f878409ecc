/** Separates errors that the operator can fix from errors of this program. */
import { ExpectedError } from "../../shared/errors.ts";

/** The message of an error that the operator can fix; undefined for a fault of this program. */
export function operatorMessage(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ExpectedError) return error.message;
  if (error.message === "Region is missing") return "AWS: no region is set. Pass --region or set AWS_REGION.";
  // The SDK's errors: no credentials, missing permissions, unknown stack.
  const isAwsError = "$metadata" in error || error.name === "CredentialsProviderError";
  return isAwsError ? `AWS: ${error.name}: ${error.message}` : undefined;
}

/** Shown in place of an internal error's message, which is logged instead. */
export const internalError = "internal error; the terminal of the console shows it";
