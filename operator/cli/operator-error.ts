import { UsageError } from "../../shared/command-line/usage-error.ts";
import { operatorMessage } from "../actions/operator-message.ts";

/** What is for the operator to mend is said in words; everything else is a fault of this program. */
export function inWords(error: unknown): unknown {
  const response = operatorMessage(error);
  return response === undefined || error instanceof UsageError ? error : new UsageError(response);
}
