import fc from "fast-check";
import { expect, test } from "vitest";
import { outcomeOf } from "../../shared/billmgr/outcome.ts";
import { readReply } from "../../shared/billmgr/reply.ts";
import { CatalogError, parseCatalog } from "../../shared/licensing/catalog.ts";
import { catalogJson } from "../support/events.ts";
import { mutatedJson } from "../support/mutations.ts";

const replies = [
  '<?xml version="1.0"?><doc lang="en"><id>77</id><ok type="form">func=order</ok></doc>',
  '<doc><error type="value" object="period"><param name="object">period</param><msg>Wrong &lt;period&gt;</msg></error></doc>',
  "<doc><doc><newexpiredate>2027-03-01</newexpiredate></doc><ok/></doc>",
  '<doc><elem><id>1</id><item_status orig="2_stop" color="red">Stopped</item_status></elem><p_elems>1</p_elems></doc>',
];

const edits = fc.array(
  fc.record({
    at: fc.nat(200),
    drop: fc.nat(8),
    put: fc.constantFrom(
      "",
      "<",
      ">",
      "&",
      '"',
      "]]>",
      "<!--",
      "<![CDATA[",
      "</doc>",
      "<doc>",
      "\0",
      "é",
      "<__proto__>",
    ),
  }),
  { maxLength: 4 },
);

const mutatedReplies = fc
  .tuple(fc.constantFrom(...replies), edits)
  .map(([reply, changes]) =>
    changes.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), reply),
  );

test("any reply is a document, an error, or unreadable, and gives every change an outcome", () => {
  const bodies = fc.oneof(fc.string({ unit: "binary" }), mutatedReplies);
  const kinds = fc.constantFrom("order" as const, "prolong" as const, "delete" as const);
  fc.assert(
    fc.property(bodies, kinds, fc.constantFrom(200, 200, 200, 502), (body, kind, status) => {
      expect(["document", "error", "unreadable"]).toContain(readReply(status, body).kind);
      const { outcome } = outcomeOf(kind, { kind: "response", status, body });
      expect(["done", "refused", "unknown"]).toContain(outcome);
    }),
    { numRuns: 3000 },
  );
});

test("a catalog with any content is parsed, or refused with a CatalogError", () => {
  const keys = fc.constantFrom("__proto__", "constructor", "toString", "products", "plans", "billmgr", "url", "addons");
  const nested = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, 0, 1, "", "vmmanager6", "https://billmgr.example/x"),
      fc.dictionary(keys, tie("value"), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
  const values = fc.oneof(fc.jsonValue(), nested, mutatedJson(catalogJson));
  fc.assert(
    fc.property(values, (value) => {
      try {
        parseCatalog(value);
      } catch (error) {
        expect(error).toBeInstanceOf(CatalogError);
        expect((error as Error).message).not.toBe("");
      }
    }),
    { numRuns: 3000 },
  );
});
