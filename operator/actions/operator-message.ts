import { NewerItem } from "../../shared/aws/items.ts";
import { SecretsError } from "../../shared/aws/secrets.ts";
import { ReadError } from "../../shared/billmgr/billmgr.ts";
import { PreconditionFailed } from "../../shared/licensing/repair.ts";

/** What is for the operator to mend, in its own words; of a fault of this program nothing. */
export function operatorMessage(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ([PreconditionFailed, ReadError, SecretsError, NewerItem].some((kind) => error instanceof kind))
    return error.message;
  if (error.message === "Region is missing") return "AWS: no region is set: say it with --region";
  // The SDK's: no credentials, no right, no such stack.
  const ofAws = "$metadata" in error || error.name === "CredentialsProviderError";
  return ofAws ? `AWS: ${error.name}: ${error.message}` : undefined;
}
