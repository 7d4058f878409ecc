import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { beforeEach, expect, test } from "vitest";
import { bodyOf, sendJson, serve } from "../../infra/local/serve.ts";
import { type Publish, publishTo } from "../../shared/aws/bus.ts";
import type { Announcement } from "../../shared/licensing/announcement.ts";

type Entry = Record<string, unknown>;

let batches: Entry[][];
let refused: string | undefined;
let publish: Publish;

/** Answers PutEvents as EventBridge does: 200 also where it took none. */
beforeEach(async () => {
  batches = [];
  refused = undefined;
  const server = await serve(async (request, response) => {
    const { Entries } = JSON.parse((await bodyOf(request, 10_000_000)).toString("utf8")) as { Entries: Entry[] };
    batches.push(Entries);
    const came = Entries.map(({ Detail }) =>
      refused && String(Detail).includes(refused)
        ? { ErrorCode: "ThrottlingException", ErrorMessage: "Rate exceeded" }
        : { EventId: "1" },
    );
    const FailedEntryCount = came.filter((entry) => "ErrorCode" in entry).length;
    sendJson(response, 200, { FailedEntryCount, Entries: came });
  });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new EventBridgeClient({ endpoint: server.url, region: "us-east-1", credentials });
  publish = publishTo(client, "shop-events");
  return async () => {
    client.destroy();
    await server.close();
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

test("each is an event of our source and its type, ten in a request, in order", async () => {
  const all = Array.from({ length: 23 }, (_, n) => announcement(n));
  await publish(all);
  expect(batches.map(({ length }) => length)).toEqual([10, 10, 3]);
  expect(batches.flat().map(({ Detail }) => JSON.parse(String(Detail)))).toEqual(all);
  const { Detail, ...entry } = batches[0]?.[0] ?? {};
  expect(entry).toEqual({
    EventBusName: "shop-events",
    Source: "billmgr-webhooks",
    DetailType: "license.prolonged",
    Time: Date.parse("2026-11-23T08:00:00.000Z") / 1000,
  });
});

test("nothing to tell is no request", async () => {
  await publish([]);
  expect(batches).toEqual([]);
});

test("what the bus did not take is an error, though it answers 200", async () => {
  refused = "#operation-1";
  await expect(publish([announcement(1), announcement(2)])).rejects.toThrow(
    "the bus refused 1 of 2 events: ThrottlingException Rate exceeded",
  );
});
