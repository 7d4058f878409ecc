import { checkImport, executeMove, keep, type Line } from "../../operator/actions/import.ts";
import { advanceMinutes, orderForm, postToBillmgr } from "./local.ts";
import { useConnection, useTestStack } from "./test-stack.ts";

/** A new shop for each test. Its licenses at billmgr were bought before the import. */
export function useShop() {
  const stack = useTestStack();
  const deps = useConnection(stack);
  const minute = () => advanceMinutes(stack, 1);

  /** Acts as a user of billmgr's client area. @returns the license id */
  async function inBillmgr(form: Record<string, string>): Promise<string> {
    const answer = await (await postToBillmgr(stack, form)).text();
    return /<id>(\d+)<\/id>/.exec(answer)?.[1] ?? "";
  }

  async function order(form: Record<string, string>): Promise<string> {
    const elid = await inBillmgr({ ...orderForm, ...form });
    await minute();
    return elid;
  }

  return {
    stack,
    deps,
    minute,
    inBillmgr,
    buy: (more: Record<string, string> = {}) => order({ pricelist: "55163", addon_55165: "1", ...more }),
    buyDci: () => order({ pricelist: "55161" }),
    /** Imports all lines, as the command does with --yes. */
    async importAll(...lines: Line[]) {
      const checked = await checkImport(lines, deps);
      const [moves, cutOff] = checked.refused.length === 0 ? [checked.moves, checked.cutOff] : [[], []];
      for (const kept of cutOff) await keep(kept, deps);
      for (const move of moves) await executeMove(move, deps);
      await stack.settle();
      return checked;
    },
  };
}

export const lineOf = (of: Partial<Line> = {}): Line => ({
  line: 2,
  subscription: "standard/42",
  elid: "334673",
  plan: "vm6-monthly",
  ...of,
});
