import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { dayOf } from "../../shared/licensing/time.ts";
import { keyNamed, nowOf } from "../ops/world.ts";
import type { Desk } from "./desk.ts";

/** Milliseconds between two readings for a page that is open. */
const every = 1000;

/**
 * Says whenever what a page tells of has changed. What there is to see then, the page reads itself: nothing but this word
 * goes over the stream, and the page has one way to be drawn.
 */
export const live = (desk: Desk, context: Context, topic: string): Response =>
  streamSSE(context, async (stream) => {
    let last: string | undefined;
    while (!stream.aborted && !stream.closed) {
      const print = await printOf(desk, topic).catch(() => "cannot be read");
      // A comment now and then shows a browser that went away.
      if (print === last) await stream.write(": still here\n\n");
      else await stream.writeSSE({ event: "changed", data: print });
      last = print;
      await stream.sleep(every);
    }
  });

/** What is another one once there is something else to see. */
async function printOf({ world, account }: Desk, topic: string): Promise<string> {
  const { table } = world;
  if (topic === "account") return String(account.changes());
  if (topic !== "home") {
    const stored = await table.load(keyNamed("subscription", topic));
    return `${stored?.version}`;
  }
  const now = nowOf(world);
  const [halt, { entries }, { keys }] = await Promise.all([
    table.halt(),
    table.journal(dayOf(now), undefined, 1),
    table.attention(undefined, 20),
  ]);
  const [newest] = entries;
  return [halt?.since, newest && `${newest.key}/${newest.n}`, ...keys.map(({ key, due }) => `${key}@${due}`)].join(" ");
}
