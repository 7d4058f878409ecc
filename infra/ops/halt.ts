import { halt, resume } from "../../functions/ops/halt.ts";
import { count, meaningOf, moment } from "../../functions/ops/words.ts";
import type { Command } from "./command.ts";

export const haltCommand: Command = {
  takes: ["[reason…]"],
  about: "stop all calls to billmgr; webhooks are still accepted",
  async run({ words, connect, confirm }) {
    await confirm(meaningOf.halt);
    const stands = await halt(words.join(" ") || "halted by an operator", await connect());
    return { data: stands, text: `all calls are halted since ${moment(stands.since)}: ${stands.reason}` };
  },
};

export const resumeCommand: Command = {
  takes: [],
  about: "let all calls go again, and wake what waited for that",
  async run({ connect }) {
    const resumed = await resume(await connect());
    const { lifted, woken } = resumed;
    const text = lifted
      ? `the halt of ${moment(lifted.since)} (${lifted.reason}) is lifted; ${count(woken, "subscription")} woken`
      : "there is no halt";
    return { data: resumed, text };
  },
};
