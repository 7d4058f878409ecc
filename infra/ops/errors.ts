import { saidOf } from "../../functions/ops/said.ts";
import { Mistake } from "../mistake.ts";

/** What is for the operator to mend is said in words; everything else is a fault of this program. */
export function inWords(error: unknown): unknown {
  const said = saidOf(error);
  return said === undefined || error instanceof Mistake ? error : new Mistake(said);
}
