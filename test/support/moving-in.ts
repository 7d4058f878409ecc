import type { Options } from "../../local/stack.ts";
import { carryOut, checkImport, keep, type Line } from "../../operator/actions/import.ts";
import { type Connection, connect } from "../../operator/cli/connect.ts";
import { authinfo, startTestStack } from "./local.ts";

/** A shop with licenses at billmgr that were bought before the import. */
export type Shop = Awaited<ReturnType<typeof openShop>>;

export async function openShop(options: Partial<Options> = {}) {
  const stack = await startTestStack(options);
  const connection = await connect({ url: stack.url });
  const deps: Connection = { ...connection, now: stack.clock.now };
  const minute = () => stack.advanceTo(new Date(stack.clock.now().getTime() + 60_000));

  /** Acts as a user of billmgr's client area. @returns the license id */
  async function inBillmgr(form: Record<string, string>): Promise<string> {
    const body = new URLSearchParams({ authinfo, out: "xml", ...form });
    const answer = await (await fetch(`${stack.url}/manager/billmgr`, { method: "POST", body })).text();
    return /<id>(\d+)<\/id>/.exec(answer)?.[1] ?? "";
  }

  async function order(form: Record<string, string>): Promise<string> {
    const func = "platform.order.param";
    const elid = await inBillmgr({ func, clicked_button: "finish", sok: "ok", skipbasket: "on", period: "1", ...form });
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
    /** Imports as the command with --yes does. */
    async importAll(...lines: Line[]) {
      const checked = await checkImport(lines, deps);
      const [moves, cutOff] = checked.refused.length === 0 ? [checked.moves, checked.cutOff] : [[], []];
      for (const kept of cutOff) await keep(kept, deps);
      for (const move of moves) await carryOut(move, deps);
      await stack.settle();
      return checked;
    },
    async close() {
      connection.close();
      await stack.stop();
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
