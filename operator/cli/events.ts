import { dismiss, replay, replayOf } from "../actions/events.ts";
import { meaningOf, sayDismissed, sayReplayed } from "../actions/format.ts";
import type { Command } from "./command.ts";

export const replayCommand: Command = {
  takes: ["<event or subscription>", "[event id]"],
  about: "read a stored event again with today's code, and do what it says",
  async run({ words: [name = "", id], connect, confirm }) {
    const what = meaningOf.event(name, id);
    await confirm(meaningOf.replay(name, id));
    const deps = await connect();
    const replayed = id === undefined ? await replay(name, deps) : await replayOf(name, id, deps);
    return { data: replayed, text: sayReplayed(what, replayed), failed: "unparseable" in replayed };
  },
};

export const dismissCommand: Command = {
  takes: ["<event>", "<reason…>"],
  about: "take an event that was not understood off the list",
  async run({ words: [name = "", ...reason], connect, confirm }) {
    await confirm(meaningOf.dismiss(name));
    const why = reason.join(" ");
    await dismiss(name, why, await connect());
    return { data: { name, dismissed: why }, text: sayDismissed(name) };
  },
};
