import { SESv2Client } from "@aws-sdk/client-sesv2";
import { expect, test } from "vitest";
import { createHandler } from "../../../../functions/mail/handler.ts";
import { composeLetter } from "../../../../functions/mail/letter.ts";
import { readBody, sendJson, serve } from "../../../../shared/http/serve.ts";
import { type Announcement, announcementTypes } from "../../../../shared/licensing/announcement.ts";
import { watchedLog } from "../../../support/log.ts";

const ordered: Announcement = {
  id: "stripe/sub_1#operation-1",
  version: 1,
  type: "license.ordered",
  at: "2026-11-23T08:00:00.000Z",
  storefront: "stripe",
  subscription: "sub_1",
  customer: { id: "cus_1", email: "ann@example.com" },
  plan: "vm6-monthly",
  license: { id: "334673", family: "platform", expiry: "2026-12-23", key: "334673-abc" },
};

test("the letter contains the purchase with its key and expiry", () => {
  expect(composeLetter(ordered)).toEqual({
    to: "ann@example.com",
    subject: "Your license is ready: vm6-monthly",
    text: "Thank you for your order. Your license is ready.\n\nLicense: 334673 (vm6-monthly)\nActivation key: 334673-abc\nValid to: 2026-12-23\n",
  });
});

test.each(Object.values(announcementTypes))("there is a letter for %s, without the values that are unknown", (type) => {
  const { key, expiry, ...license } = ordered.license;
  const letter = composeLetter({ ...ordered, type, license });
  expect(letter?.text).toContain("License: 334673 (vm6-monthly)");
  expect(letter?.text).not.toMatch(/undefined|Activation|Valid/);
});

test("there is no letter without an address, or about an attention item", () => {
  expect(composeLetter({ ...ordered, customer: {} })).toBeUndefined();
  const { plan, license, ...rest } = ordered;
  expect(
    composeLetter({ ...rest, type: "license.attention", code: "refused", reason: "the balance is 3 EUR" }),
  ).toBeUndefined();
});

test("SES sends the letter, and a rejection is an error, so that Lambda retries", async () => {
  const sent: Record<string, unknown>[] = [];
  let status = 200;
  const server = await serve(async (request, response) => {
    sent.push(JSON.parse((await readBody(request, 100_000)).toString("utf8")));
    const refused = { __type: "MessageRejected", message: "Not verified: ann@example.com" };
    sendJson(response, status, status === 200 ? { MessageId: "1" } : refused);
  });
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const client = new SESv2Client({ endpoint: server.url, region: "us-east-1", credentials, maxAttempts: 1 });
  const handler = createHandler({ client, from: "shop@example.com", log: watchedLog() });
  try {
    await handler({ detail: ordered });
    await handler({ detail: { ...ordered, customer: {} } });
    expect(sent).toMatchObject([
      {
        FromEmailAddress: "shop@example.com",
        Destination: { ToAddresses: ["ann@example.com"] },
        Content: { Simple: { Subject: { Data: "Your license is ready: vm6-monthly" } } },
      },
    ]);
    status = 400;
    await expect(handler({ detail: ordered })).rejects.toThrow(
      /^SES rejected the letter for stripe\/sub_1#operation-1: MessageRejected$/,
    );
  } finally {
    client.destroy();
    await server.close();
  }
});
