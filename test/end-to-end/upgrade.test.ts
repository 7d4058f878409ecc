import { readdirSync, readFileSync } from "node:fs";
import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { marshall } from "@aws-sdk/util-dynamodb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { LocalStack } from "../../local/stack.ts";
import { attention } from "../../operator/actions/attention.ts";
import { exported } from "../../operator/actions/export.ts";
import { reconcile } from "../../operator/actions/reconcile.ts";
import { resolve, retry } from "../../operator/actions/repair.ts";
import { show } from "../../operator/actions/show.ts";
import { type Connection, connect } from "../../operator/cli/connect.ts";
import type { LocalParts } from "../../shared/aws/local-parts.ts";
import { localAws } from "../../shared/aws/local-parts.ts";
import type { Message } from "../../shared/intake/message.ts";
import { advanceDays, authinfo, done, paid, startTestStack, stateOf, tell, tellStripe } from "../support/local.ts";
import { invoice, line, stripeEvent, unix } from "../support/stripe.ts";

/** test/fixtures/items/README.md */
type Old = {
  at: string;
  ledger: {
    at: string;
    operation: string;
    elid: string;
    pricelist: number;
    period: number;
    addons: object;
    comment: string;
  }[];
  items: Record<string, unknown>[];
  messages: Message[];
};

const folder = new URL("../fixtures/items/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));

describe.each(files)("what was stored on %s", (file) => {
  const old = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Old;
  let stack: LocalStack;
  let world: Connection;
  beforeEach(async () => {
    stack = await startTestStack({ clock: new Date(old.ledger[0]?.at ?? "") });
    for (const one of old.ledger) await doAgain(one);
    await stack.advanceTo(new Date(old.at));
    world = { ...(await connect({ url: stack.url })), now: stack.clock.now };
    const { table } = (await (await fetch(`${stack.url}/local/parts`)).json()) as LocalParts;
    const client = new DynamoDBClient({ ...localAws, endpoint: table.endpoint });
    for (const item of old.items)
      await client.send(new PutItemCommand({ TableName: table.name, Item: marshall(item) }));
    client.destroy();
  });
  afterEach(async () => {
    const references = (stack.sandbox?.ledger() ?? []).flatMap((one) =>
      one.operation === "order" ? [one.comment] : [],
    );
    expect(references.filter((one, i) => references.indexOf(one) !== i)).toEqual([]);
    world.close();
    await stack.stop();
  });

  /** At today's sandbox. */
  async function doAgain({ operation, elid, pricelist, period, addons = {}, comment }: Old["ledger"][number]) {
    const order = {
      func: "platform.order.param",
      clicked_button: "finish",
      sok: "ok",
      skipbasket: "on",
      remoteid: comment,
    };
    const sold = Object.entries(addons).map(([code, value]) => [`addon_${code}`, String(value)]);
    const terms = { pricelist: String(pricelist), period: String(period), comment, ...Object.fromEntries(sold) };
    const form = operation === "order" ? { ...order, ...terms } : { func: `platform.${operation}`, elid };
    const body = new URLSearchParams({ authinfo, out: "xml", ...form });
    await fetch(`${stack.url}/manager/billmgr`, { method: "POST", body });
    await stack.advanceTo(new Date(stack.clock.now().getTime() + 2000));
    expect(done(stack).at(-1)).toBe(`${operation} ${elid}`);
  }

  const sinceThen = () => done(stack).slice(old.ledger.length);
  const minutes = (count: number) => stack.advanceTo(new Date(stack.clock.now().getTime() + count * 60_000));
  const elidsOf = async (name: string) => (await stateOf(stack, name))?.slots.map(({ license }) => license?.elid);

  test("goes on: each next payment prolongs, and nothing is ordered again", async () => {
    await minutes(2);
    const through = new Date("2027-01-23T08:00:00Z");
    for (const subscription of ["settled", "lost", "died"]) {
      await tell(stack, "payment.succeeded", paid(through, { subscription }));
      await minutes(1);
    }
    await tell(stack, "subscription.resumed", { subscription: "paused" });
    const period = { start: unix("2026-12-23T08:00"), end: unix("2027-01-23T08:00") };
    const pricing = { type: "price_details", price_details: { price: "price_dci6", product: "prod_dci6" } };
    const lines = { object: "list", data: [line({ period, pricing, quantity: 2 })], has_more: false };
    await advanceDays(stack, 29);
    const created = Math.floor(stack.clock.now().getTime() / 1000);
    await tellStripe(stack, stripeEvent("invoice.paid", invoice({ id: "in_2", created, lines }), { created }));
    await minutes(2);
    const prolongs = sinceThen().filter((one) => one.startsWith("prolong"));
    expect(prolongs.sort()).toEqual([73, 75, 76, 77, 78].map((end) => `prolong 3346${end}`));
    expect(sinceThen()).toContain("resume 334674");
  });

  test("an order whose answer was lost is found, and one that never was made is made once that is proved", async () => {
    await minutes(2);
    expect(await elidsOf("standard/lost")).toEqual(["334677"]);
    expect(await elidsOf("standard/died")).toEqual(["334678"]);
    await tell(stack, "payment.succeeded", paid(new Date("2026-12-23T08:00:00Z"), { subscription: "fresh" }));
    await minutes(180);
    const [fresh, unmade, ...others] = sinceThen();
    expect(others).toEqual([]);
    expect(await elidsOf("standard/fresh")).toEqual([fresh?.replace("order ", "")]);
    expect(await elidsOf("standard/unmade")).toEqual([unmade?.replace("order ", "")]);
  });

  test("an operator sees and repairs it: its story, what waits, a license that is gone", async () => {
    for (const name of ["standard/settled", "standard/paused", "standard/refused", "standard/died", "stripe/sub_1"]) {
      const story = await show(name, world);
      expect(story?.chapters.length).toBeGreaterThan(1);
    }
    const { waiting } = await attention(world);
    expect(waiting.map(({ name }) => name).sort()).toEqual(["standard/odd", "standard/refused"]);
    await retry("standard/refused", world);
    await minutes(2);
    expect(sinceThen()).toEqual(["order 334679"]);
    const body = new URLSearchParams({ authinfo, out: "xml", func: "platform.delete", elid: "334673" });
    await fetch(`${stack.url}/manager/billmgr`, { method: "POST", body });
    await resolve("standard/settled", { as: "gone", elid: "334673" }, world);
    await minutes(2);
    expect(await elidsOf("standard/settled")).toEqual(["334680"]);
    await minutes(180);
    expect(await reconcile(world)).toMatchObject({ differences: [], orphans: [] });
  });

  test("is exported whole", async () => {
    const kept = old.items.filter(({ pk }) => pk !== "control");
    let lines = 0;
    for await (const { is } of exported("test", world)) if (is !== "export") lines++;
    expect(lines).toBe(kept.length);
  });

  test("what was queued is taken", async () => {
    await minutes(2);
    await world.send(old.messages.map((message, i) => ({ message, once: String(i) })));
    await minutes(2);
    expect(sinceThen()).toEqual(["prolong 334673"]);
    const waiting = (await attention(world)).waiting.map(({ name }) => name);
    expect(waiting).toContain("standard/in-flight-odd");
    expect(await stack.table.events("event#stripe/evt_in_flight")).toMatchObject([{ became: "ignored" }]);
    expect(await stack.table.events("reference#stripe/pi_1")).toHaveLength(2);
  });
});
