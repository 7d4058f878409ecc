import { ReadError } from "../../shared/errors.ts";

/** An answer to one question about the account. `unclear`: nothing here could tell. */
export type Finding = { about: string; found: "yes" | "no" | "unclear"; detail: string };

export type Answer = Pick<Finding, "found" | "detail">;
export const yes = (detail: string): Answer => ({ found: "yes", detail });
export const no = (detail: string): Answer => ({ found: "no", detail });
export const unclear = (detail: string): Answer => ({ found: "unclear", detail });

/** A question that billmgr refuses is answered by that. */
export async function asked(about: string, ask: () => Promise<Answer>): Promise<Finding> {
  try {
    return { about, ...(await ask()) };
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
