import { UsageError } from "../../shared/command-line/usage-error.ts";
import { operatorMessage } from "../actions/operator-message.ts";

/** Turns an error that the operator can fix into one without a stack trace. Internal errors keep theirs. */
export function toUsageError(error: unknown): unknown {
  const message = operatorMessage(error);
  return message === undefined || error instanceof UsageError ? error : new UsageError(message);
}
