import { readFileSync } from "node:fs";
import Stripe from "stripe";
import { freshAt } from "../../shared/storefronts/signatures.ts";
import { stripe } from "../../shared/storefronts/stripe.ts";
import { interleave, ratio, raw, spread, table } from "./figures.ts";

const rounds = 31;
const perRound = 1000;
const secret = "whsec_of_the_benchmark_and_nothing_else";

/** Compares the time to verify and parse one webhook with Stripe's package, which does not interpret the event. */
export async function verify(): Promise<void> {
  const body = invoicePaid();
  const text = body.toString("utf8");
  const header = Stripe.webhooks.generateTestHeaderString({ payload: text, secret });
  const request = { headers: { "stripe-signature": header }, body };
  const isFresh = freshAt(Date.now);

  const trust = () => {
    if (stripe.verify(request, [secret], isFresh) !== undefined) throw new Error("the signature is refused");
    return JSON.parse(body.toString("utf8")) as unknown;
  };
  const theirs = "stripe: webhooks.constructEvent";
  const timed = await interleave(
    {
      [theirs]: timesOf(() => Stripe.webhooks.constructEvent(body, header, secret)),
      "ours: verify, JSON.parse": timesOf(trust),
      "ours: verify, JSON.parse, events": timesOf(() => {
        const [parsed] = stripe.events(trust(), request.headers);
        if (parsed?.kind !== "facts") throw new Error("the event is not understood");
      }),
      "only JSON.parse": timesOf(() => JSON.parse(body.toString("utf8"))),
    },
    rounds,
  );

  console.log(`\nVerify and read a webhook of Stripe: invoice.paid, ${body.length} bytes, ${rounds} x ${perRound}`);
  table([
    ["", "µs each", "to constructEvent"],
    ...Object.entries(timed).map(([name, sample]) => [name, spread(sample), ratio(sample, timed[theirs] ?? [])]),
  ]);
  raw(timed, "µs each");
}

/** The invoice of a fixture with its lines doubled, and indented by two as Stripe sends it: 5 KB. */
function invoicePaid(): Buffer {
  const file = new URL("../fixtures/stripe/basil/08-renewal-paid.json", import.meta.url);
  const event = JSON.parse(readFileSync(file, "utf8"));
  const { lines } = event.data.object;
  lines.data = [...lines.data, ...lines.data];
  return Buffer.from(JSON.stringify(event, null, 2));
}

/** @returns a function that measures the microseconds of one call, after a warm-up */
function timesOf(call: () => unknown): () => number {
  for (let i = 0; i < 2 * perRound; i++) call();
  return () => {
    const started = performance.now();
    for (let i = 0; i < perRound; i++) call();
    return ((performance.now() - started) / perRound) * 1000;
  };
}
