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

describe("what others wrote is text", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`;

  test("in an address, a plan, an id and an event's body", async () => {
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

  test("in an address of a page, and in the reason of a halt", async () => {
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

  test("a note is told once, and none can be made up", async () => {
    const { headers } = await change(stack, "/halt", { reason: "x" });
    const at = String(headers.location);
    expect(await words(at)).toContain("all calls are halted since");
    expect((await page(at)).includes('class="note"')).toBe(false);
    expect(await page("/?note=all%20is%20well")).not.toContain("all is well");
  });
});

describe("home", () => {
  test("says what needs a person, what was found, what fits, and what comes next", async () => {
    await buy({ subscription: "a witness" });
    await minutes(1);
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await buy();
    await minutes(15);
    const text = await words("/");
    expect(text).toMatch(/Needs a person standard\/42 since .* ago operation 1, order vmmanager6/);
    expect(text).toContain("billmgr said: put into billmgr's basket, unpaid");
    expect(text).toMatch(/looked \d+ times, last at .*: none of the 1 licenses listed carries bw-/);
    expect(text).toContain("Try again it was bought as license Adopt… It was never bought…");
    expect(text).toMatch(/standard\/a witness order done/);
    expect(text).toMatch(/standard\/a witness unless paid by 12-26: suspend license 334673/);
  });

  test("goes on on further pages where much needs a person", async () => {
    for (let i = 0; i < 23; i++)
      await tell(stack, "payment.succeeded", { subscription: undefined }, { id: `msg_many_${i}` });
    await minutes(1);
    const first = await page("/");
    const next = /href="(\/\?from=[^"]+)"/.exec(first)?.[1] ?? "";
    const second = await page(next);
    const cases = (text: string) => [...text.matchAll(/standard\/msg_many_\d+<\/bdi><\/a>/g)].map(([one]) => one);
    expect([cases(first).length, cases(second).length]).toEqual([20, 3]);
    expect(new Set([...cases(first), ...cases(second)]).size).toBe(23);
    expect((await ask(stack, "/?from=nonsense")).status).toBe(200);
    const cursor = JSON.parse(Buffer.from(next.split("from=")[1] ?? "", "base64url").toString());
    const more = Buffer.from(JSON.stringify({ ...cursor, more: { S: "x" } })).toString("base64url");
    expect(cases(await page(`/?from=${more}`))).toEqual(cases(first));
    expect((await ask(stack, `/?from=${Buffer.from('{"pk":1}').toString("base64url")}`)).status).toBe(200);
  });

  test("has a name of its own for each button, and each question has one", async () => {
    for (const subscription of ["1", "2"]) {
      stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
      await buy({ subscription });
      await minutes(1);
    }
    const [cases = ""] = /<ol class="cases">.*<\/ol>/s.exec(await page("/")) ?? [];
    const names = [...cases.matchAll(/<button [^>]*aria-label="([^"]*)"/g)].map(([, name]) => name);
    expect(names).toContain("Try again standard/2");
    expect(names.length).toBe([...cases.matchAll(/<button/g)].length);
    expect(new Set(names).size).toBe(names.length);
    const title = async (path: string) => /<title>(.*?) ·/.exec(await page(path))?.[1];
    expect(await title("/repair?repair=gone&name=standard/1&elid=5")).toBe("gone standard/1: are you certain?");
    expect(await title("/halt")).toBe("Halt all calls: are you certain?");
  });

  test("does not say that nothing needs a person while more pages follow: the index is read late", async () => {
    const key = "subscription#standard/settled meanwhile" as const;
    const next = Object.fromEntries(["pk", "sk", "agenda", "agendaAt"].map((name) => [name, { S: "x" }]));
    const table = {
      ...stack.table,
      attention: async () => ({ keys: [{ key, due: "2026-11-23T07:00:00.000Z" }], next }),
    };
    const deps = { table, catalog: testCatalog(), now: stack.clock.now } as unknown as OperatorDependencies;
    const { request } = createConsole({ where: "a test", world: deps });
    const text = await (await request("/", { headers: { host: "127.0.0.1" } })).text();
    expect(text).toContain("More, later ones");
    expect(text).not.toContain("needs a person.");
  });

  test("says so when the functions are behind, and when the balance is low", async () => {
    await buy();
    await minutes(1);
    const key = "subscription#standard/42" as const;
    const stored = await stack.table.load(key);
    if (stored) await stack.table.save(key, { ...stored, agenda: { due: "2026-11-23T07:00:00.000Z" } });
    await stack.table.putBalance({ amount: 3.5, currency: "EUR", at: "2026-11-23T08:00:00.000Z", low: true });
    const text = await words("/");
    expect(text).toContain("The functions are behind: standard/42 has been due since 2026-11-23 07:00");
    expect(text).toContain("The balance is low: 3.5 EUR");
  });

  test("counts what was bought, how it went, how soon, and what is due", async () => {
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
  test("is found by id, customer, address, license and reference, and by its name", async () => {
    await buy({ customer: { id: "C-7", email: "Jo@Example.com" } });
    await minutes(1);
    const [call] = JSON.parse(await page("/sandbox/licenses")) as { comment: string }[];
    for (const text of ["42", "standard/42", "c-7", "jo@example.com", " 334673 ", call?.comment ?? "none"]) {
      const { status, headers } = await ask(stack, `/find?${new URLSearchParams({ text })}`);
      expect([text, status, headers.location]).toEqual([text, 303, "/subscription?name=standard%2F42"]);
    }
    expect(await words("/find?text=nobody")).toContain("Nothing found for “nobody”");
  });

  test("is shown among several with the same customer", async () => {
    await buy({ subscription: "1", customer: { id: "both" } });
    await buy({ subscription: "2", customer: { id: "both" } });
    await minutes(1);
    expect(await words("/find?text=both")).toMatch(
      /2 found .* standard\/1 both, license 334673 standard\/2 both, license 334674/,
    );
  });

  test("shows each event, each call as sent without the password, and what came back", async () => {
    await buy();
    await minutes(1);
    const text = await words("/subscription?name=standard/42");
    expect(text).toContain("in order nothing before");
    expect(text).toContain("license 1 334673, vm6-monthly, active, until 2026-12-23");
    expect(text).toMatch(/operation 1 : order vmmanager6 for a month because paid through/);
    expect(text).toMatch(/called .*func=platform\.order\.param .*pricelist=55163/);
    expect(text).toContain("looked, achieved: license 334673 is active until 2026-12-23");
    expect(text).not.toContain("authinfo");
  });

  test("is in order only when nothing is to be done: not when it was paid and nothing was bought", async () => {
    await change(stack, "/halt", { reason: "maintenance" });
    await buy();
    await minutes(1);
    const text = await words("/subscription?name=standard/42");
    expect(text).toContain("to be done order vmmanager6 for a month, because paid through");
    expect(text).not.toContain("in order");
    await change(stack, "/resume", {});
    stack.sandbox?.plan({ fault: "basket", func: "order" });
    await stack.settle();
    expect(await words("/subscription?name=standard/42")).toMatch(/waits wait until .*: operation 1 is unknown/);
  });

  test("has the license filled in that is meant, and none where another one could be", async () => {
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
    // The second one is what is waited for.
    expect([await filled("adopt"), await filled("gone")]).toEqual(["", undefined]);
    await change(stack, "/repair", { repair: "never-bought", name: "standard/42", operation: "2" });
    await minutes(1);
    expect(done(stack)).toEqual(["order 334673", "order 334674"]);
    expect(await filled("gone")).toBe("");
  });

  test("says of what was refused what home says, too", async () => {
    stack.sandbox?.plan({ fault: "error", func: "order", type: "value", object: "pricelist" });
    await buy();
    await minutes(1);
    const response = /operation 1, order vmmanager6 for a month: refused billmgr said: .*?value.*? Try again/;
    expect(await words("/")).toMatch(response);
    expect(await words("/subscription?name=standard/42")).toMatch(response);
  });

  test("tells what would be done until a later day, and does nothing", async () => {
    await buy();
    await minutes(1);
    const text = await words("/subscription?name=standard/42&at=2027-02-01");
    expect(text).toMatch(/2026-12-26 \d\d:\d\d suspend license 334673 unpaid since/);
    expect(text).toContain("func=platform.suspend elid=334673");
    expect(await words("/subscription?name=standard/42")).toContain("No call.");
    expect(await words("/subscription?name=standard/42&at=nonsense")).toContain("No call.");
    expect(done(stack)).toEqual(["order 334673"]);
  });

  test("that is not known is said to be so, and a name that can be none says what one is", async () => {
    expect((await ask(stack, "/subscription?name=standard/none")).status).toBe(404);
    const { status, text } = await ask(stack, "/subscription?name=nonsense");
    expect([status, text.includes("expected a storefront and an id")]).toEqual([409, true]);
  });

  test("has its picture, with a title, a description and a table of the same", async () => {
    await buy();
    await minutes(1);
    const text = await page("/subscription?name=standard/42");
    expect(text).toMatch(
      /<title id="life-title">The life of this subscription<\/title>\s*<desc id="life-desc">payment p_\d+, paid, 2026-11-23 to 2026-12-23; license 334673, order, operation 1: 2026-11-23 to 2026-12-23/,
    );
    expect(text).toContain('<a href="#operation-1"');
    expect(text).toContain('id="operation-1"');
  });
});

describe("an event", () => {
  test("of a subscription has a page with its body, and can be read again", async () => {
    await buy();
    await minutes(1);
    const [, link = ""] = /href="(\/event\?of=[^"]+)"/.exec(await page("/subscription?name=standard/42")) ?? [];
    const path = link.replaceAll("&amp;", "&");
    const text = await words(path);
    expect(text).toContain("payment.succeeded");
    expect(text).toContain("&quot;plan&quot;: &quot;vm6-monthly&quot;");
    const id = new URLSearchParams(path.split("?")[1]).get("id") ?? "";
    const { headers } = await change(stack, "/repair", { repair: "replay", name: "standard/42", event: id });
    expect(await words(String(headers.location))).toContain(`the event ${id} of standard/42 is replayed`);
    expect(done(stack)).toEqual(["order 334673"]);
  });
});

test("an open page is told over the stream when there is something new", async () => {
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

test("nothing is changed by what does not fit, and it is said why", async () => {
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
    expect([fields, status, text.includes("It was not done")]).toEqual([fields, 409, true]);
  }
  expect(await stateOf(stack)).toEqual(before);
});
