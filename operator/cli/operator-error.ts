import { Mistake } from "../../shared/command-line/usage-error.ts";
import { saidOf } from "../actions/operator-message.ts";

/** What is for the operator to mend is said in words; everything else is a fault of this program. */
export function inWords(error: unknown): unknown {
  const said = saidOf(error);
  return said === undefined || error instanceof Mistake ? error : new Mistake(said);
}
