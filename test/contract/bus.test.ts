import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { beforeEach, expect, test } from "vitest";
import { type Publish, publishTo } from "../../shared/aws/bus.ts";
import type { Announcement } from "../../shared/licensing/announcement.ts";
import { serveEventBus } from "../support/event-bus.ts";

let bus: Awaited<ReturnType<typeof serveEventBus>>;
let refused: string | undefined;
let publish: Publish;

beforeEach(async () => {
  refused = undefined;
  bus = await serveEventBus(({ Detail }) => refused !== undefined && Detail.includes(refused));
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new EventBridgeClient({ endpoint: bus.url, region: "us-east-1", credentials });
  publish = publishTo(client, "shop-events");
  return async () => {
    client.destroy();
    await bus.close();
  };
});

const announcement = (n: number): Announcement => ({
  id: `standard/42#operation-${n}`,
  version: 1,
  type: "license.prolonged",
  at: "2026-11-23T08:00:00.000Z",
  storefront: "standard",
  subscription: "42",
  customer: { email: "ann@example.com" },
  plan: "vm6-monthly",
  license: { id: "334673", family: "platform", expiry: "2026-12-23" },
});

test("announcements are published in order, ten in a request, with source and type", async () => {
  const all = Array.from({ length: 23 }, (_, n) => announcement(n));
  await publish(all);
  expect(bus.batches.map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(bus.batches.flat().map(({ Detail }) => JSON.parse(Detail))).toEqual(all);
  const { Detail, ...entry } = bus.batches[0]?.[0] ?? { Detail: "" };
  expect(entry).toEqual({
    EventBusName: "shop-events",
    Source: "billmgr-webhooks",
    DetailType: "license.prolonged",
    Time: Date.parse("2026-11-23T08:00:00.000Z") / 1000,
  });
});

test("an empty list sends no request", async () => {
  await publish([]);
  expect(bus.batches).toEqual([]);
});

test("rejected announcements are reported, although the bus answers 200", async () => {
  refused = "#operation-1";
  const all = Array.from({ length: 20 }, (_, n) => announcement(n));
  const accepted = all.filter(({ id }) => !id.includes("#operation-1"));
  expect((await publish(all)).map(({ id }) => id)).toEqual(
    all.filter((one) => !accepted.includes(one)).map(({ id }) => id),
  );
  expect(await publish([announcement(1)])).toEqual([
    { id: "standard/42#operation-1", why: "ThrottlingException Rate exceeded" },
  ]);
  expect(await publish([announcement(2)])).toEqual([]);
});
