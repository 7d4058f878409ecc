import { meaningOf, sayHalted, sayResumed } from "../actions/format.ts";
import { halt, resume } from "../actions/halt.ts";
import type { Command } from "./command.ts";

export const haltCommand: Command = {
  takes: ["[reason…]"],
  about: "stop all calls to billmgr; webhooks are still accepted",
  async run({ words, connect, confirm }) {
    await confirm(meaningOf.halt);
    const stands = await halt(words.join(" ") || "halted by an operator", await connect());
    return { data: stands, text: sayHalted(stands) };
  },
};

export const resumeCommand: Command = {
  takes: [],
  about: "let all calls go again, and wake what waited for that",
  async run({ connect }) {
    const resumed = await resume(await connect());
    return { data: resumed, text: sayResumed(resumed) };
  },
};
