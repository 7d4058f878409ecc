/** `ops replay` and `ops dismiss` */
import { dismiss, replay, replayForSubscription } from "../actions/events.ts";
import { confirmDismissal, confirmReplay, labelEvent, reportDismissal, reportReplay } from "../actions/format.ts";
import type { Command } from "./command.ts";

export const replayCommand: Command = {
  parameters: ["<event or subscription>", "[event id]"],
  summary: "read a stored event again with the current version, and apply it",
  async run({ positionals: [name = "", id], connect, confirm }) {
    await confirm(confirmReplay(name, id));
    const deps = await connect();
    const replayed = id === undefined ? await replay(name, deps) : await replayForSubscription(name, id, deps);
    return {
      data: replayed,
      text: reportReplay(labelEvent(name, id), replayed),
      failed: replayed.kind === "unparseable",
    };
  },
};

export const dismissCommand: Command = {
  parameters: ["<event>", "<reason…>"],
  summary: "take an event that was not understood off the attention list",
  async run({ positionals: [name = "", ...words], connect, confirm }) {
    await confirm(confirmDismissal(name));
    const reason = words.join(" ");
    await dismiss(name, reason, await connect());
    return { data: { name, dismissed: reason }, text: reportDismissal(name) };
  },
};
