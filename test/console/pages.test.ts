import { describe, expect, test } from "vitest";
import type { OperatorDependencies } from "../../operator/actions/dependencies.ts";
import { createConsole } from "../../operator/console/app.ts";
import { ask, change, wordsOf } from "../support/console.ts";
import { advanceDays, advanceMinutes, done, inDays, paid, stateOf, tell, testCatalog } from "../support/local.ts";
import { useTestStack } from "../support/test-stack.ts";

const stack = useTestStack();

const minutes = (count: number) => advanceMinutes(stack, count);
const page = async (path: string) => (await ask(stack, path)).text;
const buy = (more: object = {}) => tell(stack, "payment.succeeded", paid(inDays(stack, 30), more));
const words = async (path: string) => wordsOf(await page(path));

describe("text from customers and shops is escaped", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;

  test("in an address, a plan, an id, and the body of an event", async () => {
    await tell(stack, "payment.succeeded", {
      ...paid(inDays(stack, 30), { subscription: hostile, plan: hostile }),
      customer: { id: hostile, email: hostile },
    });
    await tell(stack, "payment.succeeded", { subscription: undefined, note: hostile }, { id: `msg_${hostile}` });
    await minutes(1);
    const name = new URLSearchParams({ name: `standard/${hostile}` });
    const event = new URLSearchParams({ name: `standard/msg_${hostile}` });
    for (const path of [
      "/",
      `/subscription?${name}`,
      `/event?${event}`,
      `/find?${new URLSearchParams({ text: hostile })}`,
    ]) {
      const { status, text } = await ask(stack, path);
      expect([path, status < 400]).toEqual([path, true]);
      expect(text).not.toContain("<script>alert");
      expect(text).not.toContain("<img");
    }
    expect(await page(`/subscription?${name}`)).toContain("&lt;script&gt;alert(1)");
    expect(await page(`/event?${event}`)).toContain("&lt;script&gt;alert(1)");
  });

  test("in a URL, and in the reason of a halt", async () => {
    await change(stack, "/halt", { reason: hostile });
    for (const path of [
      "/",
      `/subscription?${new URLSearchParams({ name: hostile })}`,
      `/find?${new URLSearchParams({ text: hostile })}`,
      `/repair?${new URLSearchParams({ repair: "gone", name: hostile, elid: hostile })}`,
    ]) {
      expect(await page(path)).not.toContain("<script>alert");
    }
  });

  test("a flash message is shown once and cannot be forged in the URL", async () => {
    const { headers } = await change(stack, "/halt", { reason: "x" });
    const url = String(headers.location);
    expect(await words(url)).toContain("All calls have been halted since");
    expect((await page(url)).includes('class="flash"')).toBe(false);
    expect(await page("/?flash=all%20is%20well")).not.toContain("all is well");
  });
});

describe("home", () => {
  test("shows attention items with evidence and repairs, the latest operations, and what is scheduled", async () => {
    await buy({ subscription: "a known license" });
    await minutes(1);
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await minutes(15);
    const text = await words("/");
    expect(text).toMatch(
      /Needs attention standard\/42 since .* ago Operation 1 \(order vmmanager6 for a month\) may be in billmgr's cart, unpaid/,
    );
    expect(text).toContain("billmgr responded: a reply with billorder: it may be unpaid in billmgr's cart");
    expect(text).toMatch(/checked \d+ times, last at .*: none of the 1 licenses listed carries bw-/);
    expect(text).toContain("Retry It was bought as license Adopt… It was never bought…");
    expect(text).toMatch(/standard\/a known license order done/);
    expect(text).toMatch(/standard\/a known license unless paid by 12-26: suspend license 334673/);
  });

  test("splits many attention items into pages", async () => {
    for (let i = 0; i < 23; i++)
      await tell(stack, "payment.succeeded", { subscription: undefined }, { id: `msg_many_${i}` });
    await minutes(1);
    const first = await page("/");
    const next = /href="(\/\?from=[^"]+)"/.exec(first)?.[1] ?? "";
    const second = await page(next);
    const itemsOn = (text: string) => [...text.matchAll(/standard\/msg_many_\d+<\/bdi><\/a>/g)].map(([one]) => one);
    expect([itemsOn(first).length, itemsOn(second).length]).toEqual([20, 3]);
    expect(new Set([...itemsOn(first), ...itemsOn(second)]).size).toBe(23);
    expect((await ask(stack, "/?from=nonsense")).status).toBe(200);
    const cursor = JSON.parse(Buffer.from(next.split("from=")[1] ?? "", "base64url").toString());
    const more = Buffer.from(JSON.stringify({ ...cursor, more: { S: "x" } })).toString("base64url");
    expect(itemsOn(await page(`/?from=${more}`))).toEqual(itemsOn(first));
    expect((await ask(stack, `/?from=${Buffer.from('{"pk":1}').toString("base64url")}`)).status).toBe(200);
  });

  test("every button has a unique name, and every confirmation page a title", async () => {
    for (const subscription of ["1", "2"]) {
      stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
      await buy({ subscription });
      await minutes(1);
    }
    const [items = ""] = /<ol class="items">.*<\/ol>/s.exec(await page("/")) ?? [];
    const names = [...items.matchAll(/<button [^>]*aria-label="([^"]*)"/g)].map(([, name]) => name);
    expect(names).toContain("Retry standard/2");
    expect(names.length).toBe([...items.matchAll(/<button/g)].length);
    expect(new Set(names).size).toBe(names.length);
    const title = async (path: string) => /<title>(.*?) ·/.exec(await page(path))?.[1];
    expect(await title("/repair?repair=gone&name=standard/1&elid=5")).toBe("gone standard/1: are you sure?");
    expect(await title("/halt")).toBe("Halt all calls: are you sure?");
  });

  test("does not report that nothing needs attention while more pages follow, because the index is eventually consistent", async () => {
    const key = "subscription#standard/settled meanwhile" as const;
    const next = Object.fromEntries(["pk", "sk", "agenda", "agendaAt"].map((name) => [name, { S: "x" }]));
    const table = {
      ...stack.table,
      attention: async () => ({ keys: [{ key, due: "2026-11-23T07:00:00.000Z" }], next }),
    };
    const deps = { table, catalog: testCatalog(), now: stack.clock.now } as unknown as OperatorDependencies;
    const { request } = createConsole({ where: "a test", deps });
    const text = await (await request("/", { headers: { host: "127.0.0.1" } })).text();
    expect(text).toContain("Newer items");
    expect(text).not.toContain("needs attention.");
  });

  test("shows that processing is behind, and that the balance is low", async () => {
    await buy();
    await minutes(1);
    const key = "subscription#standard/42" as const;
    const stored = await stack.table.load(key);
    if (stored) await stack.table.save(key, { ...stored, due: "2026-11-23T07:00:00.000Z" });
    await stack.table.putBalance({ amount: 3.5, currency: "EUR", at: "2026-11-23T08:00:00.000Z", low: true });
    const text = await words("/");
    expect(text).toContain("Processing is behind: standard/42 has been due since 2026-11-23 07:00");
    expect(text).toContain("The balance is low: 3.5 EUR");
  });

  test("plots purchases, outcomes, waiting times, and due dates", async () => {
    await buy();
    await minutes(1);
    await advanceDays(stack, 29);
    await tell(stack, "payment.succeeded", paid(inDays(stack, 30), { payment: "second" }));
    await minutes(1);
    const text = await words("/");
    expect(text).toMatch(/2026-12-22 0 1 /);
    expect(text).toContain("done 2");
    expect(text).toMatch(/(10 s 1 1 min 0|10 s 0 1 min 1) /);
    expect(text).toMatch(/2027-01-20 0 2027-01-21 1 /);
  });
});

describe("a subscription", () => {
  test("is found by id, customer, address, license, reference, and name", async () => {
    await buy({ customer: { id: "C-7", email: "Jo@Example.com" } });
    await minutes(1);
    const [call] = JSON.parse(await page("/sandbox/licenses")) as { comment: string }[];
    for (const text of ["42", "standard/42", "c-7", "jo@example.com", " 334673 ", call?.comment ?? "none"]) {
      const { status, headers } = await ask(stack, `/find?${new URLSearchParams({ text })}`);
      expect([text, status, headers.location]).toEqual([text, 303, "/subscription?name=standard%2F42"]);
    }
    expect(await words("/find?text=nobody")).toContain("Nothing found for “nobody”");
  });

  test("is listed with the other subscriptions of the same customer", async () => {
    await buy({ subscription: "1", customer: { id: "both" } });
    await buy({ subscription: "2", customer: { id: "both" } });
    await minutes(1);
    expect(await words("/find?text=both")).toMatch(
      /2 found .* standard\/1 both, license 334673 standard\/2 both, license 334674/,
    );
  });

  test("shows each event, and each call with its parameters and response, but no password", async () => {
    await buy();
    await minutes(1);
    const text = await words("/subscription?name=standard/42");
    expect(text).toContain("up to date nothing to do before");
    expect(text).toContain("license 1 334673, vm6-monthly, active until 2026-12-23 , nodes: 1");
    expect(text).toMatch(/operation 1 : order vmmanager6 for a month because paid through/);
    expect(text).toMatch(/called .*func=platform\.order\.param .*pricelist=55163/);
    expect(text).toContain("checked, achieved: license 334673 is active until 2026-12-23");
    expect(text).not.toContain("authinfo");
  });

  test("is up to date only if nothing is to be done: not if it is paid and nothing was bought", async () => {
    await change(stack, "/halt", { reason: "maintenance" });
    await buy();
    await minutes(1);
    const text = await words("/subscription?name=standard/42");
    expect(text).toContain("pending order vmmanager6 for a month, because paid through");
    expect(text).not.toContain("up to date");
    await change(stack, "/resume", {});
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await stack.settle();
    expect(await words("/subscription?name=standard/42")).toMatch(
      /scheduled check again at .*: operation 1 is unknown/,
    );
  });

  test("prefills the license number only if it is unambiguous", async () => {
    const filled = async (repair: string) => {
      const form = new RegExp(`<input id="${repair}-[^"]*"[^>]* value="([^"]*)"`);
      return form.exec(await page("/subscription?name=standard/42"))?.[1];
    };
    await buy({ plan: "dci6-monthly" });
    await minutes(1);
    expect(await filled("gone")).toBe("334673");
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await tell(stack, "subscription.changed", { plan: "dci6-monthly", quantity: 2 });
    await minutes(15);
    // The open order is for the second license.
    expect([await filled("adopt"), await filled("gone")]).toEqual(["", undefined]);
    await change(stack, "/repair", { repair: "never-bought", name: "standard/42", operation: "2" });
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673", "order 334674"]);
    expect(await filled("gone")).toBe("");
  });

  test("shows a refused operation as the home page does", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await buy();
    await minutes(1);
    const response = /operation 1, order vmmanager6 for a month: refused billmgr responded: .*?value.*? Retry/;
    expect(await words("/")).toMatch(response);
    expect(await words("/subscription?name=standard/42")).toMatch(response);
  });

  test("previews the calls until a later day, and makes none of them", async () => {
    await buy();
    await minutes(1);
    const text = await words("/subscription?name=standard/42&at=2027-02-01");
    expect(text).toMatch(/2026-12-26 \d\d:\d\d suspend license 334673 unpaid since/);
    expect(text).toContain("func=platform.suspend elid=334673");
    expect(await words("/subscription?name=standard/42")).toContain("No call.");
    expect(await words("/subscription?name=standard/42&at=nonsense")).toContain("No call.");
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("that is unknown is a 404, and an invalid name is explained", async () => {
    expect((await ask(stack, "/subscription?name=standard/none")).status).toBe(404);
    const { status, text } = await ask(stack, "/subscription?name=nonsense");
    expect([status, text.includes("expected a storefront and an id")]).toEqual([409, true]);
  });

  test("has a timeline with a title and a description, linked to the history", async () => {
    await buy();
    await minutes(1);
    const text = await page("/subscription?name=standard/42");
    expect(text).toMatch(
      /<title id="timeline-title">Timeline of this subscription<\/title>\s*<desc id="timeline-desc">payment p_\d+, paid, 2026-11-23 to 2026-12-23; license 334673, order, operation 1: 2026-11-23 to 2026-12-23/,
    );
    expect(text).toContain('<a href="#operation-1"');
    expect(text).toContain('id="operation-1"');
  });
});

describe("an event", () => {
  test("of a subscription has a page with its body, and can be replayed", async () => {
    await buy();
    await minutes(1);
    const [, link = ""] = /href="(\/event\?of=[^"]+)"/.exec(await page("/subscription?name=standard/42")) ?? [];
    const path = link.replaceAll("&amp;", "&");
    const text = await words(path);
    expect(text).toContain("payment.succeeded");
    expect(text).toContain("&quot;plan&quot;: &quot;vm6-monthly&quot;");
    const id = new URLSearchParams(path.split("?")[1]).get("id") ?? "";
    const { headers } = await change(stack, "/repair", { repair: "replay", name: "standard/42", event: id });
    expect(await words(String(headers.location))).toContain(`The event ${id} of standard/42 was replayed`);
    expect(done(stack)).toEqual(["order 334673"]);
  });
});

test("the stream notifies an open page of changes", async () => {
  const stream = await fetch(`${stack.url}/live?topic=home`);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const until = async (wanted: string) => {
    for (let text = ""; ; ) {
      const { value, done } = (await reader?.read()) ?? { done: true };
      if (done) throw new Error("the stream ended");
      text += value;
      if (text.includes(wanted)) return;
    }
  };
  await until("event: changed");
  await change(stack, "/halt", { reason: "something new" });
  await until("event: changed");
  await reader?.cancel();
  expect(stream.headers.get("content-type")).toBe("text/event-stream");
});

test("a repair that does not apply changes nothing, and the page gives the reason", async () => {
  await buy();
  await minutes(1);
  const before = await stateOf(stack);
  for (const fields of [
    { repair: "never-bought", name: "standard/42", operation: "1" },
    { repair: "gone", name: "standard/42", elid: "334673", operation: "1" },
    { repair: "adopt", name: "standard/42", elid: "x", operation: "1" },
    { repair: "nonsense", name: "standard/42" },
    { repair: "retry", name: "standard/none" },
  ]) {
    const { status, text } = await change(stack, "/repair", fields);
    expect([fields, status, text.includes("The change was not made")]).toEqual([fields, 409, true]);
  }
  expect(await stateOf(stack)).toEqual(before);
});
