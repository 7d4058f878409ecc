/** The answers of a probe. */
import { ReadError } from "../../shared/errors.ts";

/** One probed question about the account and its answer. `unclear`: the account gave no evidence either way. */
export type Finding = { about: string; found: "yes" | "no" | "unclear"; detail: string };

export type Answer = Pick<Finding, "found" | "detail">;
export const yes = (detail: string): Answer => ({ found: "yes", detail });
export const no = (detail: string): Answer => ({ found: "no", detail });
export const unclear = (detail: string): Answer => ({ found: "unclear", detail });

/** Runs one probe. An error that billmgr returns is itself the answer. */
export async function probeOne(about: string, read: () => Promise<Answer>): Promise<Finding> {
  try {
    return { about, ...(await read()) };
  } catch (error) {
    if (!(error instanceof ReadError)) throw error;
    const { type } = error.refused ?? {};
    return {
      about,
      found: type === "access" || type === "missed" || type === "auth" ? "no" : "unclear",
      detail: error.message,
    };
  }
}
