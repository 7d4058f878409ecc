/** Separates errors that the operator can fix from errors of this program. */
import { NewerItem } from "../../shared/aws/items.ts";
import { SecretsError } from "../../shared/aws/secrets.ts";
import { ReadError } from "../../shared/billmgr/billmgr.ts";
import { PreconditionFailed } from "../../shared/licensing/repair.ts";

/** Message of an error the operator can fix; undefined for internal errors. */
export function operatorMessage(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ([PreconditionFailed, ReadError, SecretsError, NewerItem].some((kind) => error instanceof kind))
    return error.message;
  if (error.message === "Region is missing") return "AWS: no region is set. Pass --region or set AWS_REGION.";
  // Errors of the SDK: missing credentials, missing permission, unknown stack.
  const isAwsError = "$metadata" in error || error.name === "CredentialsProviderError";
  return isAwsError ? `AWS: ${error.name}: ${error.message}` : undefined;
}

/** Shown in place of an internal error's message, which is logged instead. */
export const internalError = "internal error; the terminal of the console shows it";
