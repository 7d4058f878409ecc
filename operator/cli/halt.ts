/** `ops halt` and `ops resume` */
import { confirmHalt, reportHalt, reportResume } from "../actions/format.ts";
import { halt, resume } from "../actions/halt.ts";
import type { Command } from "./command.ts";

export const haltCommand: Command = {
  parameters: ["[reason…]"],
  summary: "halt all calls to billmgr; webhooks are still accepted",
  async run({ positionals, connect, confirm }) {
    await confirm(confirmHalt);
    const active = await halt(positionals.join(" ") || "halted by an operator", await connect());
    return { data: active, text: reportHalt(active) };
  },
};

export const resumeCommand: Command = {
  parameters: [],
  summary: "lift the halt, and process what it deferred",
  async run({ connect }) {
    const resumed = await resume(await connect());
    return { data: resumed, text: reportResume(resumed) };
  },
};
