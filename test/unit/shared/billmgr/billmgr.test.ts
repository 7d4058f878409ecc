import { describe, expect, test } from "vitest";
import { createBillmgr } from "../../../../shared/billmgr/billmgr.ts";
import type { Post } from "../../../../shared/billmgr/transport.ts";
import { authinfo } from "../../../support/local.ts";

const page = (from: number, to: number, total?: number) =>
  `<doc>${Array.from({ length: to - from }, (_, i) => `<elem><id>${from + i}</id></elem>`).join("")}${total === undefined ? "" : `<p_elems>${total}</p_elems>`}</doc>`;

/** Why the list is incomplete when billmgr returns these pages one after the other, and `filter` for the filter's form. */
const incompleteness = async (pages: string[], filter = "<doc><status/></doc>") => {
  const left = [...pages];
  const post: Post = async (form) => {
    const func = form.get("func");
    const body = func === "platform" ? left.shift() : form.has("sok") ? "<doc><ok/></doc>" : filter;
    return { kind: "response", status: 200, body: body ?? "<doc/>" };
  };
  return (await createBillmgr(post, async () => authinfo).licenses("platform")).incomplete;
};

describe("the license list is complete if billmgr returns", () => {
  const whole = [page(0, 250, 300), page(250, 300, 300)];

  test.each<[string, string[]]>([
    ["one page", [page(0, 10, 10)]],
    ["two pages with one count, the same twice", [...whole, ...whole]],
  ])("%s", async (_, pages) => {
    expect(await incompleteness(pages)).toBeUndefined();
  });

  test("no filter value", async () => {
    expect(await incompleteness([page(0, 10, 10)], "<doc><status>null</status></doc>")).toBeUndefined();
  });
});

describe("the license list is incomplete if billmgr returns", () => {
  test.each<[string, string[]]>([
    ["another count on the second page", [page(0, 250, 301), page(250, 300, 300)]],
    ["a row twice", [page(0, 250, 300), page(249, 299, 300)]],
    ["no count", [page(0, 10)]],
    [
      "other rows on the second read, so that a row may have been on neither page",
      [page(0, 250, 300), page(251, 301, 300), page(1, 251, 300), page(251, 301, 300)],
    ],
  ])("%s", async (_, pages) => {
    expect(await incompleteness(pages)).toContain("read whole");
  });

  test.each([
    ["a filter that stays set", "<doc><status>2</status></doc>"],
    ["an error for the filter", '<doc><error type="access"/></doc>'],
    ["no form for the filter", "<doc><ok/></doc>"],
  ])("%s", async (_, filter) => {
    expect(await incompleteness([page(0, 10, 10)], filter)).toContain("filter");
  });
});
