import { createHmac } from "node:crypto";
import { setTimeout } from "node:timers/promises";

const { BILLMGR_WEBHOOKS_URL: url = "", BILLMGR_WEBHOOKS_SECRET: secret = "" } = process.env;

/**
 * Sends an event to /webhooks/standard, and retries for a minute.
 * @param id the same for the same fact, however often it is sent, 200 characters at most
 * @throws Error if the endpoint did not take it: send it again later, with the same id, type, data, and time
 */
export async function send(id: string, type: string, data: object, happenedAt = new Date()): Promise<void> {
  const body = JSON.stringify({ type, timestamp: happenedAt.toISOString(), data });
  let failure = "";
  for (const delaySeconds of [0, 1, 5, 20, 30]) {
    await setTimeout(delaySeconds * 1000);
    // The endpoint accepts a signature for five minutes, so each attempt has its own.
    const now = Math.floor(Date.now() / 1000);
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    const signature = createHmac("sha256", key).update(`${id}.${now}.${body}`).digest("base64");
    const headers = {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(now),
      "webhook-signature": `v1,${signature}`,
    };
    try {
      const answer = await fetch(url, { method: "POST", body, headers, signal: AbortSignal.timeout(10_000) });
      if (answer.ok) return;
      failure = `answered ${answer.status}: ${await answer.text()}`;
      if (answer.status < 500 && answer.status !== 429) break;
    } catch (error) {
      failure = String(error);
    }
  }
  throw new Error(`${type} ${id}: ${failure}`);
}

if (import.meta.main) {
  const [id = "", type = "", data = "{}"] = process.argv.slice(2);
  await send(id, type, JSON.parse(data));
}
