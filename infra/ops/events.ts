import { dismiss, type Replayed, replay, replayOf } from "../../functions/ops/events.ts";
import type { Command } from "./command.ts";

export const replayCommand: Command = {
  takes: ["<event or subscription>", "[event id]"],
  about: "read a stored event again with today's code, and do what it says",
  async run({ words: [name = "", id], connect, confirm }) {
    const what = id === undefined ? `event ${name}` : `event ${id} of ${name}`;
    await confirm(`The ${what} is read again, and what it says then is done.`);
    const world = await connect();
    const replayed = id === undefined ? await replay(name, world) : await replayOf(name, id, world);
    return { data: replayed, text: textOf(what, replayed), failed: "unclear" in replayed };
  },
};

export const dismissCommand: Command = {
  takes: ["<event>", "<reason…>"],
  about: "take an event that was not understood off the list",
  async run({ words: [name = "", ...reason], connect, confirm }) {
    await confirm(`Nobody is asked about the event ${name} any more, and what it says is not done.`);
    const why = reason.join(" ");
    await dismiss(name, why, await connect());
    return { data: { name, dismissed: why }, text: `event ${name} is off the list` };
  },
};

const textOf = (what: string, replayed: Replayed): string =>
  "unclear" in replayed
    ? `the ${what} is still not understood: ${replayed.unclear}`
    : `the ${what} is ${replayed.understood}: ${replayed.why}`;
