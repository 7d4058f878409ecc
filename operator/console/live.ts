import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { dayOf, type Instant } from "../../shared/licensing/time.ts";
import { keyNamed, nowOf } from "../actions/dependencies.ts";
import type { Desk } from "./context.ts";

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

/**
 * What is another one once there is something else to see: each minute, too, for some of it changes by the clock alone,
 * and functions that do not run change nothing in the table.
 */
async function printOf(desk: Desk, topic: string): Promise<string> {
  const now = nowOf(desk.world);
  const [halt, own] = await Promise.all([desk.world.table.halt(), ownPrintOf(desk, topic, now)]);
  return [now.slice(0, 16), halt?.since, own].join(" ");
}

async function ownPrintOf({ world: { table }, account }: Desk, topic: string, now: Instant): Promise<unknown> {
  if (topic === "account") return account.changes();
  if (topic !== "home") return (await table.load(keyNamed("subscription", topic)))?.version;
  const [{ entries }, { keys }] = await Promise.all([
    table.journal(dayOf(now), undefined, 1),
    table.attention(undefined, 20),
  ]);
  const [newest] = entries;
  return [
    newest && `${newest.key}/${newest.n}`,
    ...keys.map(({ key, since, codes }) => `${key}@${since}#${codes}`),
  ].join(" ");
}
