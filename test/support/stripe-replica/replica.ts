import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Stripe } from "stripe";

/** Starts Stripe World, an independent stateful replica of Stripe Billing (MIT, from PyPI), in a separate process. */

const python = fileURLToPath(new URL("../../../.local/stripe-replica/bin/python", import.meta.url));

export const isInstalled = (): boolean => existsSync(python);

export type StripeReplica = {
  /** Stripe's own client. */
  stripe: Stripe;
  /** Moves its clock, which does not run. */
  setClock(now: Date): Promise<void>;
  /** Ends the current period of a subscription. Stripe does this automatically. */
  endPeriod(subscription: string): Promise<void>;
  /** @returns the events since the last call, oldest first. The replica delivers no webhooks. */
  newEvents(): Promise<object[]>;
  stop(): void;
};

export async function startStripeReplica(now: Date): Promise<StripeReplica> {
  const script = fileURLToPath(new URL("serve.py", import.meta.url));
  const child = spawn(python, [script, now.toISOString()], { stdio: ["ignore", "pipe", "inherit"] });
  const port = await firstLine(child);
  const stripe = new Stripe("sk_test_synthetic", {
    host: "127.0.0.1",
    port,
    protocol: "http",
    maxNetworkRetries: 0,
    telemetry: false,
  });
  const request = async (path: string, body: object) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  };
  const seen = new Set<string>();
  return {
    stripe,
    setClock: (at) => request("/clock", { now: at.toISOString() }),
    endPeriod: (subscription) => request("/cycle", { subscription }),
    async newEvents() {
      const { data } = await stripe.events.list({ limit: 100 });
      const events = data.filter(({ id }) => !seen.has(id)).reverse();
      for (const { id } of events) seen.add(id);
      return events;
    },
    stop: () => child.kill(),
  };
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (data) => resolve(String(data).trim()));
    child.once("exit", (code) => reject(new Error(`the replica ended with ${code} before it served`)));
  });
}
