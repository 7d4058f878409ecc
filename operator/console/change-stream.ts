/** Server-sent events that tell an open page when to reload its content. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { dayOf, type Instant } from "../../shared/licensing/time.ts";
import { keyNamed, nowOf } from "../actions/dependencies.ts";
import type { ConsoleContext } from "./context.ts";

const pollIntervalMs = 1000;

/** Sends only that something has changed. The page then fetches itself, so there is one way to render it. */
export const streamChanges = (context: ConsoleContext, c: Context, topic: string): Response =>
  streamSSE(c, async (stream) => {
    let last: string | undefined;
    while (!stream.aborted && !stream.closed) {
      const fingerprint = await fingerprintOf(context, topic).catch(() => "cannot be read");
      // Writing is the only way to detect that the browser has gone.
      if (fingerprint === last) await stream.write(": no change\n\n");
      else await stream.writeSSE({ event: "changed", data: fingerprint });
      last = fingerprint;
      await stream.sleep(pollIntervalMs);
    }
  });

/**
 * Differs whenever the page would show something else. It includes the minute, because some content depends only on the
 * time: functions that do not run change nothing in the table.
 */
async function fingerprintOf(context: ConsoleContext, topic: string): Promise<string> {
  const now = nowOf(context.deps);
  const [halt, content] = await Promise.all([context.deps.table.halt(), contentFingerprint(context, topic, now)]);
  return [now.slice(0, 16), halt?.since, content].join(" ");
}

async function contentFingerprint(
  { deps: { table }, comparison }: ConsoleContext,
  topic: string,
  now: Instant,
): Promise<unknown> {
  if (topic === "account") return comparison.version();
  if (topic !== "home") return (await table.load(keyNamed("subscription", topic)))?.version;
  const [{ entries }, { keys }] = await Promise.all([
    table.journal(dayOf(now), undefined, 1),
    table.attention(undefined, 20),
  ]);
  const [newest] = entries;
  return [
    newest && `${newest.key}/${newest.n}`,
    ...keys.map(({ key, since, latest, codes }) => `${key}@${since} ${latest} ${codes.join()}`),
  ].join(" ");
}
