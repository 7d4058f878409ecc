import { describe, expect, test } from "vitest";
import { attribute, child, children, type Element, readReply, textOf } from "../../../../shared/billmgr/reply.ts";

const documentOf = (xml: string): Element => {
  const reply = readReply(200, xml);
  return reply.kind === "document" ? reply.doc : expect.fail(JSON.stringify(reply));
};

describe("an answer", () => {
  test("is a document, with or without a declaration, a mark of byte order and blanks around it", () => {
    for (const xml of [
      "<doc/>",
      '<?xml version="1.0"?><doc/>',
      '<?xml version="1.0"?>\n\n<?x y?> <doc/>',
      '\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<doc><ok/></doc>\n\n',
    ]) {
      expect(readReply(200, xml)).toMatchObject({ kind: "document" });
    }
  });

  test("returns texts, attributes, and children by name, the first of several", () => {
    const doc = documentOf(`<doc lang="en">
      <elem><id> 7 </id><createdate>2027-01-01</createdate><createdate>2027-02-02</createdate></elem>
      <elem><id>8</id><item_status orig="2">Active &amp; &quot;well&quot;</item_status></elem>
      <empty/><blank>  </blank>
    </doc>`);
    const [first, second] = children(doc, "elem");
    expect(attribute(doc, "lang")).toBe("en");
    expect(first && [textOf(first, "id"), textOf(first, "createdate")]).toEqual(["7", "2027-01-01"]);
    const status = second && child(second, "item_status");
    expect(status && attribute(status, "orig")).toBe("2");
    expect(second && textOf(second, "item_status")).toBe('Active & "well"');
    expect([textOf(doc, "empty"), textOf(doc, "blank"), textOf(doc, "missing")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("decodes the five references of XML, once, and no others", () => {
    const doc = documentOf(
      '<doc a="&lt;&gt;&amp;&quot;&apos;"><b>&lt;&gt;&amp;&quot;&apos;</b><c>&amp;lt; &#65; &nbsp;</c></doc>',
    );
    expect([attribute(doc, "a"), textOf(doc, "b"), textOf(doc, "c")]).toEqual([`<>&"'`, `<>&"'`, "&lt; &#65; &nbsp;"]);
  });

  test("returns undefined for an empty value, and for its text as a child", () => {
    const doc = documentOf('<doc a="">text<b><![CDATA[ 7 ]]></b><c><![CDATA[  ]]></c></doc>');
    expect([attribute(doc, "a"), textOf(doc, "b"), textOf(doc, "c"), child(doc, "#text")]).toEqual([
      undefined,
      "7",
      undefined,
      undefined,
    ]);
  });

  test("can quote a page in a CDATA section", () => {
    expect(readReply(200, "<doc><note><![CDATA[<html>]]></note><ok/></doc>")).toMatchObject({ kind: "document" });
    expect(readReply(200, "<doc><![CDATA[<!doctype html>]]></doc>")).toMatchObject({ why: "XML with a document type" });
  });

  test("keeps numbers as they are written", () => {
    const doc = documentOf('<doc a="007"><id>0077</id><cost>1e3</cost></doc>');
    expect([attribute(doc, "a"), textOf(doc, "id"), textOf(doc, "cost")]).toEqual(["007", "0077", "1e3"]);
  });

  test.each(["constructor", "toString", "hasOwnProperty", "__proto__"])(
    "has no child %s unless it was sent",
    (name) => {
      const doc = documentOf("<doc/>");
      expect([child(doc, name), children(doc, name), textOf(doc, name)]).toEqual([undefined, [], undefined]);
    },
  );
});

describe("an error", () => {
  test.each([
    [
      "as BILLmanager sends it",
      '<doc lang="en"><error type="value" object="period" lang="en"><param name="object" type="msg">period</param><stack><action level="30" user="r">order</action></stack><msg>The period is wrong</msg></error></doc>',
      { type: "value", object: "period", message: "The period is wrong" },
    ],
    ["without an object", '<doc><error type="auth"><msg>No</msg></error></doc>', { type: "auth", message: "No" }],
    [
      "without a message",
      '<doc><error type="missed" object="elid"/></doc>',
      { type: "missed", object: "elid", message: "" },
    ],
    ["without a type", "<doc><error>odd</error></doc>", { type: "", message: "" }],
    ["next to other elements", '<doc><ok/><tparams/><error type="xml"/></doc>', { type: "xml", message: "" }],
    [
      "with a marked section",
      '<doc><error type="x"><msg><![CDATA[a < b]]></msg></error></doc>',
      { type: "x", message: "a < b" },
    ],
  ])("is read %s", (_, xml, error) => {
    expect(readReply(200, xml)).toEqual({ kind: "error", ...error });
  });
});

describe("a text that is no reply of billmgr", () => {
  test.each([
    ["nothing", "", "an empty answer"],
    ["blanks", " \n ", "an empty answer"],
    [
      "a CAPTCHA page",
      "<!DOCTYPE html><html><head><title>Are you human?</title></head></html>",
      'an HTML page ("Are you human?")',
    ],
    [
      "a waiting page",
      "<html><title> Request in process </title><a href='/long7billmgr'></a></html>",
      'an HTML page ("Request in process")',
    ],
    ["JSON", '{"doc":{"ok":{}}}', "XML that is not well formed"],
    ["words", "Bad Gateway", "XML that is not well formed"],
    ["an answer cut short", "<doc><id>77</id><ok", "XML that is not well formed"],
    ["an answer cut before its end", "<doc><id>77</id><ok/>", "XML that is not well formed"],
    ["two answers", "<doc><ok/></doc><doc><ok/></doc>", "XML that is not well formed"],
    ["an answer and an empty one", "<doc><ok/></doc><doc/>", "XML without <doc>"],
    ["an answer and ok behind it", "<doc></doc><ok/>", "XML without <doc>"],
    ["an answer and text behind it", "<doc><ok/></doc>x", "XML that is not well formed"],
    ["an answer and a reference behind it", "<doc><ok/></doc>&amp;", "XML without <doc>"],
    ["text in a marked section before it", "<![CDATA[x]]><doc><ok/></doc>", "XML without <doc>"],
    ["an instruction that holds elements", "<?xml <ok/>?><doc><ok/></doc>", "XML without <doc>"],
    [
      "a page with a title longer than the part that is read",
      `<html><title>${"x".repeat(2000)}</title>`,
      "an HTML page",
    ],
    ["another document", "<reply><ok/></reply>", "XML without <doc>"],
    ["names that would change the parser", "<doc><__proto__><ok/></__proto__></doc>", "XML without <doc>"],
  ])("is unreadable: %s", (_, body, why) => {
    expect(readReply(200, body)).toEqual({ kind: "unreadable", why });
  });

  test.each([
    [502, "<html><title>Bad Gateway</title></html>", 'HTTP 502 ("Bad Gateway")'],
    [503, '<html><TITLE lang="en">Back\nsoon</TITLE></html>', 'HTTP 503 ("Back\nsoon")'],
    [404, "", "HTTP 404"],
    [302, "<doc><ok/></doc>", "HTTP 302"],
    [500, '<doc><error type="value"/></doc>', "HTTP 500"],
  ])("is unreadable with the status %i", (status, body, why) => {
    expect(readReply(status, body)).toEqual({ kind: "unreadable", why });
  });

  test.each([
    [
      "entities that multiply",
      '<!DOCTYPE doc [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><doc><id>&b;</id></doc>',
    ],
    [
      "an entity of a file",
      '<?xml version="1.0"?><!DOCTYPE doc [<!ENTITY x SYSTEM "file:///etc/hosts">]><doc><id>&x;</id></doc>',
    ],
    ["a document type in a comment's place", "<doc><!-- --><!doctype x></doc>"],
  ])("is unreadable: %s", (_, body) => {
    expect(readReply(200, body)).toMatchObject({ kind: "unreadable", why: "XML with a document type" });
  });

  test.each([
    ["elements in elements", 200, `<doc>${"<a>".repeat(50_000)}${"</a>".repeat(50_000)}</doc>`],
    ["references to no entity", 200, `<doc><id>${"&a;".repeat(100_000)}</id></doc>`],
    ["titles without an end", 502, "<title".repeat(30_000)],
  ])("is read quickly: %s", (_, status, body) => {
    const before = performance.now();
    readReply(status, body);
    expect(performance.now() - before).toBeLessThan(1500);
  });
});
