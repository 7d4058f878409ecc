import { Worker } from "node:worker_threads";
import { marshall } from "@aws-sdk/util-dynamodb";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { serveSandbox } from "../../local/simulators/billmgr/serve.ts";
import { createBillmgr } from "../../shared/billmgr/billmgr.ts";
import { outcomeOf } from "../../shared/billmgr/outcome.ts";
import { readBack } from "../../shared/billmgr/readback.ts";
import { requestOf } from "../../shared/billmgr/requests.ts";
import { maxResponseBytes, type Post, type PostResult, postTo } from "../../shared/billmgr/transport.ts";
import { ReadError } from "../../shared/errors.ts";
import type { Change, ChangeKind } from "../../shared/licensing/operation.ts";
import { addMonths } from "../../shared/licensing/time.ts";
import { operation, orderOf } from "../support/events.ts";
import { mutatedText, runs } from "../support/mutations.ts";
import { authinfoWith } from "../support/secrets.ts";

const of = { slot: 1, elid: "334673", family: "platform" };
const changes: Record<ChangeKind, Change> = {
  order: orderOf({ addons: { 55165: 2 } }),
  prolong: { ...of, kind: "prolong", plan: "vm-monthly", period: 1, expiry: "2027-01-23" },
  edit: { ...of, kind: "edit", plan: "vm-monthly", addons: { 55165: 3 } },
  suspend: { ...of, kind: "suspend" },
  resume: { ...of, kind: "resume" },
  delete: { ...of, kind: "delete" },
};
const kinds = Object.keys(changes) as ChangeKind[];

/** The simulated billmgr's replies to each change, to refused requests, and to each read. */
const replies: string[] = [];
const anyReply = fc.nat().map((i) => replies[i % replies.length] ?? "");
beforeAll(async () => {
  const authinfo = authinfoWith();
  const now = () => new Date("2026-11-23T08:00:00Z");
  const { url, sandbox, close } = await serveSandbox({
    now,
    authinfo: () => authinfo,
    settings: { processingSeconds: 0 },
  });
  const post: Post = async (form, timeoutMs) => {
    const sent = await postTo(url)(form, timeoutMs);
    if (sent.kind === "response") replies.push(sent.body);
    return sent;
  };
  const billmgr = createBillmgr(post, async () => authinfo);
  for (const kind of kinds) {
    await billmgr.call(kind, requestOf(changes[kind], "bw-1"));
    await billmgr.license("platform", of.elid);
    if (kind !== "delete") await billmgr.quote(of.elid, 1);
  }
  for (const fault of ["basket", "unpaid", "reply_without_id", "reply_item_id"] as const) {
    sandbox.plan({ fault, func: "order" });
    await billmgr.call("order", requestOf(changes.order, "bw-2"));
  }
  sandbox.plan({ fault: "error", func: "order", type: "money" });
  await billmgr.call("order", requestOf(changes.order, "bw-2"));
  await billmgr.call("order", requestOf(orderOf({ pricelist: 1 }), "bw-3"));
  await createBillmgr(post, async () => authinfoWith("-of-old"))
    .balance()
    .catch(() => {});
  await billmgr.licenses("platform");
  await billmgr.balance();
  await close();
});

const answer = (body: string, status = 200): PostResult => ({ kind: "response", status, body });

test("a reply that is cut short at any point, or is followed by more text, has an unknown outcome", () => {
  for (const reply of replies) {
    for (let end = 0; end < reply.length; end++) {
      for (const kind of ["order", "prolong"] as const) {
        expect([reply.slice(0, end), outcomeOf(kind, answer(reply.slice(0, end))).outcome]).toContain("unknown");
      }
    }
    for (const more of ["x", "<doc><ok/></doc>", "</doc>", "<ok/>", "&amp;"]) {
      expect(outcomeOf("suspend", answer(reply + more)).outcome).toBe("unknown");
    }
  }
});

test("a success or an error inside a comment, CDATA section, attribute, or other element is no outcome", () => {
  const proofs = ["<ok/>", "<id>77</id>", "<item.id>77</item.id>", "<newexpiredate>2027-03-01</newexpiredate>"];
  const refusal = '<error type="value" object="period"><msg>No</msg></error>';
  const hide = [
    (xml: string) => `<doc><!-- ${xml} --></doc>`,
    (xml: string) => `<doc><![CDATA[${xml}]]></doc>`,
    (xml: string) => `<doc note="${xml.replaceAll("<", "&lt;").replaceAll('"', "&quot;")}"/>`,
    (xml: string) => `<doc>${xml.replaceAll("<", "&lt;")}</doc>`,
    (xml: string) => `<doc><tparams>${xml}</tparams></doc>`,
    (xml: string) => `<doc><elem>${xml}</elem></doc>`,
    (xml: string) => `<doc><?note ${xml.replaceAll('"', "'")} ?></doc>`,
    (xml: string) => `<page>${xml}</page>`,
    (xml: string) => `<page><doc>${xml}</doc></page>`,
    (xml: string) => `<DOC>${xml}</DOC>`,
    (xml: string) => `<x:doc xmlns:x="y">${xml}</x:doc>`,
    (xml: string) => `<doc><x:ok xmlns:x="y"/><OK/><okay/>${xml.toUpperCase()}</doc>`,
    (xml: string) => `\0<doc>${xml}</doc>`,
    (xml: string) => `<!DOCTYPE doc><doc>${xml}</doc>`,
    (xml: string) => Buffer.from(`<doc>${xml}</doc>`, "utf16le").toString("utf8"),
    (xml: string) => Buffer.from(`<doc>${xml}</doc>`, "utf16le").swap16().toString("utf8"),
  ];
  for (const xml of [...proofs, refusal]) {
    for (const [i, hidden] of hide.entries()) {
      for (const kind of kinds)
        expect([i, kind, outcomeOf(kind, answer(hidden(xml))).outcome]).toEqual([i, kind, "unknown"]);
    }
  }
});

/** Checks without a parser that a body has at least the tags that the outcome requires. */
function hasTagsOf(body: string, outcome: "done" | "refused"): boolean {
  const seen = body.replaceAll(/<!--.*?-->|<!\[CDATA\[.*?\]\]>/gs, "");
  const whole = /^\s*(<\?xml[^>]*\?>\s*)?(<\?[^>]*\?>\s*)*<doc[\s/>].*(<\/doc\s*>|\/>)\s*$/s.test(seen);
  return whole && (outcome === "done" ? /<(ok|id|item\.id|newexpiredate)[\s/>]/ : /<error\s[^>]*type/s).test(seen);
}

test("any reply results in done or refused only if its document contains the tag for it", () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((given) => Buffer.from(given).toString("utf8"));
  const body = fc.oneof(
    { weight: 6, arbitrary: anyReply.chain(mutatedText) },
    { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
    { weight: 1, arbitrary: bytes },
  );
  fc.assert(
    fc.property(
      body,
      fc.constantFrom(...kinds),
      fc.constantFrom(200, 200, 200, 200, 0, 201, 302, 500),
      (text, kind, status) => {
        const outcome = outcomeOf(kind, answer(text, status));
        if (outcome.outcome === "unknown") return;
        expect(status).toBe(200);
        if (outcome.outcome === "not_sent") expect.fail("it was sent");
        expect(hasTagsOf(text, outcome.outcome)).toBe(true);
        if ("elid" in outcome) expect(outcome.elid).toMatch(/^\d{1,18}$/);
      },
    ),
    { numRuns: runs(4000) },
  );
});

/** The encodings in which a reply could echo a text that was sent. */
const encodings: ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => new URLSearchParams({ _: text }).toString().slice(2),
  (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join(""),
  (text) => text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`),
  (text) => [...text].map((character) => `&#x${character.codePointAt(0)?.toString(16).toUpperCase()};`).join(""),
  (text) =>
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&apos;"),
  (text) => JSON.stringify(text).slice(1, -1),
];

describe("the client", () => {
  const authinfo = authinfoWith(`pass&<>"'%+ wörd\\`);
  const sent: fc.Arbitrary<PostResult> = fc.oneof(
    { weight: 8, arbitrary: fc.oneof(anyReply, anyReply.chain(mutatedText)).map((body) => answer(body)) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.string({ unit: "binary" }), fc.nat(599)).map(([body, status]) => answer(body, status)),
    },
    { weight: 1, arbitrary: fc.string().map((why): PostResult => ({ kind: "no_response", why })) },
    { weight: 1, arbitrary: fc.string().map((why): PostResult => ({ kind: "not_sent", why })) },
  );
  const clientOf = (answers: readonly PostResult[]) => {
    let next = 0;
    const post: Post = async () => answers[next++ % answers.length] ?? answer("");
    return createBillmgr(post, async () => authinfo);
  };
  const readable = async <T>(read: Promise<T>): Promise<T | undefined> =>
    read.catch((error: unknown) => {
      expect(error).toBeInstanceOf(ReadError);
      expect((error as ReadError).message.length).toBeLessThanOrEqual(400);
      return undefined;
    });
  const expectDay = (day: string | undefined) => {
    if (day !== undefined) expect(addMonths(day, 36)).toMatch(/^\d{4}-\d\d-\d\d$/);
  };

  test("any reply gives a call an outcome, and a read a result or a ReadError", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sent, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...kinds),
        async (answers, kind) => {
          const outcome = await clientOf(answers).call(kind, {});
          expect(outcome.response.length).toBeLessThanOrEqual(400);
          expect(outcome.response.isWellFormed()).toBe(true);
          const one = await readable(clientOf(answers).license("platform", "5"));
          const all = await readable(clientOf(answers).licenses("platform"));
          for (const seen of [...(one ? [one] : []), ...(all?.rows ?? [])]) {
            marshall(seen, { removeUndefinedValues: true });
            expect(seen.elid).toMatch(/^\d{1,18}$/);
            expectDay(seen.expiry);
            expectDay(seen.createdOn);
          }
          const quote = await readable(clientOf(answers).quote("5", 1));
          expectDay(quote?.expiry);
          expectDay(quote?.newExpiry);
          const balance = await readable(clientOf(answers).balance());
          if (balance) expect(Number.isFinite(balance.amount)).toBe(true);
        },
      ),
      { numRuns: runs(1000) },
    );
  });

  test("any reply gives a read-back a storable observation, or a ReadError", async () => {
    const states = fc.constantFrom("claimed" as const, "unknown" as const, "unconfirmed" as const);
    const answers = fc.array(sent, { minLength: 1, maxLength: 4 });
    const before = fc.constantFrom({}, { expiry: "2026-12-23" }, { lastElid: "334672" });
    const named = fc.constantFrom({}, { elid: "334673" });
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.constantFrom(...kinds),
        states,
        before,
        named,
        async (given, kind, state, before, of) => {
          const target = {
            reference: "bw-1",
            knownLicenses: async () => [{ elid: "334673", reference: "bw-1" }],
            holderOf: async () => undefined,
          };
          const open = operation({ change: changes[kind], state, before, ...of });
          const result = await readable(readBack(open, target, clientOf(given)));
          if (!result) return;
          expect(["achieved", "pending", "absent", "conflicting"]).toContain(result.verdict);
          expect(result.evidence.length).toBeLessThanOrEqual(400);
          if (result.elid !== undefined) expect(result.elid).toMatch(/^\d{1,18}$/);
          expectDay(result.expiry);
        },
      ),
      { numRuns: runs(1000) },
    );
  });

  test("the evidence of a license with very many addons stays short", async () => {
    const addons = Array.from({ length: 20_000 }, (_, i) => `<addon_${i}>${i}</addon_${i}>`).join("");
    const billmgr = clientOf([answer(`<doc><status>2</status>${addons}<addon_55165>3</addon_55165></doc>`)]);
    const target = { reference: "bw-1", knownLicenses: async () => [], holderOf: async () => undefined };
    const result = await readBack(operation({ change: changes.edit }), target, billmgr);
    expect(result.verdict).toBe("achieved");
    expect(result.evidence.length).toBeLessThan(200);
  });

  test("the reports of a reply that echoes authinfo omit it, in any encoding", async () => {
    const password = authinfo.slice(authinfo.indexOf(":") + 1);
    const places: ((echo: string) => PostResult)[] = [
      (echo) => answer(`<doc><error type="value"><msg>Wrong ${echo}, it is</msg></error></doc>`),
      (echo) => answer(`<doc><error type="${echo}"/></doc>`),
      (echo) => answer(`<doc><error type="value" object="${echo}"/></doc>`),
      (echo) => answer(`<html><title>Error: ${echo}</title></html>`, 502),
      (echo) => ({ kind: "no_response", why: `reset after ${echo}` }),
      (echo) => answer(`<doc><error type="value"><msg>${"x".repeat(395)}${echo}</msg></error></doc>`),
    ];
    for (const secret of [authinfo, password]) {
      for (const [i, encode] of encodings.entries()) {
        for (const place of places) {
          const sent = place(encode(secret));
          const billmgr = clientOf([sent]);
          const { response } = await billmgr.call("order", {});
          const read = await billmgr.balance().catch((error: ReadError) => error.message);
          for (const report of [response, read])
            expect([i, report]).not.toEqual([i, expect.stringMatching(/pass|w(ö|%|&#|\\u)|rd\\/i)]);
        }
      }
    }
  });
});

/** Documents that could cost a parser too much time or memory. Each is as large as a reply may be. */
const shapes: Record<string, (size: number) => string> = {
  "many elements": (size) => `<doc>${"<a/>".repeat(size / 4)}</doc>`,
  "many names": (size) => `<doc>${Array.from({ length: size / 12 }, (_, i) => `<a${i.toString(36)}/>`).join("")}</doc>`,
  "many attributes": (size) =>
    `<doc ${Array.from({ length: size / 11 }, (_, i) => `a${i.toString(36)}="1"`).join(" ")}/>`,
  "elements in elements": (size) => `<doc>${"<a>".repeat(size / 7)}${"</a>".repeat(size / 7)}</doc>`,
  "many rows": (size) => `<doc>${"<elem><id>5</id></elem>".repeat(size / 23)}<p_elems>4</p_elems></doc>`,
  "many sections": (size) => `<doc>${"<![CDATA[x]]>".repeat(size / 13)}</doc>`,
  "many instructions": (size) => `<doc>${"<?a b?>".repeat(size / 7)}</doc>`,
  "quotes without an end": (size) => `<doc ${'a="'.repeat(size / 3)}/>`,
  blanks: (size) => `<doc${" ".repeat(size / 2)}>${" ".repeat(size / 2)}x`,
  "many references": (size) => `<doc><id>${"&amp;".repeat(size / 5)}</id></doc>`,
  "one long number": (size) => `<doc><id>${"7".repeat(size)}</id><ok/></doc>`,
  "many titles": (size) => `<html>${"<title".repeat(size / 6)}`,
};

describe("a reply of the maximum size is read completely within a function's memory", () => {
  const stopAfterMs = 60_000;
  test.each(Object.entries(shapes))("%s", { timeout: 2 * stopAfterMs }, async (_, shape) => {
    const body = shape(maxResponseBytes - 100);
    const worker = new Worker(new URL("../support/parse-worker.ts", import.meta.url), {
      workerData: body,
      resourceLimits: { maxOldGenerationSizeMb: 400 },
    });
    const reply = await new Promise((resolve, reject) => {
      worker.once("message", resolve).once("error", reject);
      setTimeout(() => reject(new Error(`not done after ${stopAfterMs} ms`)), stopAfterMs).unref();
    }).finally(() => worker.terminate());
    expect(reply).toBeTypeOf("string");
  });
});
