import { describe, expect, test } from "vitest";
import { pageOf, seenLicense } from "../../../../shared/billmgr/license.ts";
import { readReply } from "../../../../shared/billmgr/reply.ts";

const docOf = (inner: string) => {
  const reply = readReply(200, `<doc>${inner}</doc>`);
  return reply.kind === "document" ? reply.doc : expect.fail(JSON.stringify(reply));
};
const seen = (inner: string) => seenLicense(docOf(inner), "7");

describe("a license", () => {
  test("is read from a list's row", () => {
    const [row] = pageOf(
      docOf(`<elem><id>7</id><pricelist>VMmanager 6</pricelist><cost>49.00 EUR / Month</cost>
        <createdate>2027-01-01</createdate><createdate>2027-01-02</createdate>
        <expiredate>Daily charges</expiredate><real_expiredate>2027-02-01</real_expiredate>
        <item_real_status>2</item_real_status><item_status color="green" orig="2">Aktiv</item_status>
        <remoteid>bw-1</remoteid><comment>bw-1</comment></elem>`),
    ).rows;
    expect(row).toEqual({
      elid: "7",
      status: "active",
      autosuspended: false,
      expiry: "2027-02-01",
      createdOn: "2027-01-01",
      remoteid: "bw-1",
      comment: "bw-1",
      addons: {},
      pricelist: "VMmanager 6",
    });
  });

  test.each([
    ["<status>1</status>", "ordered"],
    ["<status>2</status>", "active"],
    ["<status>3</status>", "stopped"],
    ["<status>4</status>", "deleted"],
    ["<status>5</status>", "processing"],
    ['<item_status orig="3_employeesuspend">Stopped</item_status>', "stopped"],
    ['<item_status orig="5_prolong">Wird verlängert</item_status>', "processing"],
    ["<item_real_status>2</item_real_status>", "active"],
    ["<item_status>4</item_status>", "deleted"],
    ["<item_status>5_prolong</item_status>", "processing"],
    ["<item_status_orig>3_autosuspend</item_status_orig>", "stopped"],
    ["<status>2</status><item_status>4</item_status>", "active"],
    ['<status>odd</status><item_status orig="4">Gelöscht</item_status>', "deleted"],
    ["<status>9</status>", undefined],
    ["<status>22</status>", undefined],
    ["<item_status>Active</item_status>", undefined],
    ["", undefined],
  ])("with %s has the status %s", (inner, status) => {
    expect(seen(inner).status).toBe(status);
  });

  test.each([
    ["<status>9</status>", "9"],
    ["<status>22</status>", "22"],
    ["<item_status>Active</item_status>", "Active"],
    ['<item_status orig="">Aktiv</item_status>', "Aktiv"],
    [`<status>${"x".repeat(90)}</status>`, "x".repeat(60)],
    ["<status>2</status>", undefined],
    ["<item_status/>", undefined],
    ["", undefined],
  ])("F12: with %s has the status %s, which is not understood", (inner, unreadable) => {
    expect(seen(inner).unreadableStatus).toBe(unreadable);
  });

  test.each([
    ['<item_status orig="3_autosuspend"/>', true],
    ["<item_status_orig>3_autosuspend</item_status_orig>", true],
    ['<item_status orig="3_employeesuspend"/>', false],
    ["<status>3</status>", false],
  ])("with %s was stopped by billmgr at expiry: %s", (inner, autosuspended) => {
    expect(seen(inner).autosuspended).toBe(autosuspended);
  });

  test.each([
    ["<expiredate>2027-02-01</expiredate>", "2027-02-01"],
    ["<expiredate>2027-02-01 00:00:00</expiredate>", "2027-02-01"],
    ["<expiredate>2027-02-01</expiredate><real_expiredate>2027-03-01</real_expiredate>", "2027-03-01"],
    ["<expiredate>2027-02-01</expiredate><real_expiredate/>", "2027-02-01"],
    ["<expiredate>Daily charges</expiredate>", undefined],
    ["<expiredate>until 2027-02-01</expiredate>", undefined],
    ["<expiredate/>", undefined],
    // A missing date in a database, and days that are not in any calendar: no date arithmetic works on them.
    ["<expiredate>0000-00-00</expiredate>", undefined],
    ["<expiredate>2027-02-29</expiredate>", undefined],
    ["<expiredate>2027-13-01</expiredate>", undefined],
    ["<expiredate>1970-01-01</expiredate>", undefined],
    ["<expiredate>9999-12-31</expiredate>", undefined],
    ["<expiredate>2028-02-29</expiredate><real_expiredate>0000-00-00</real_expiredate>", "2028-02-29"],
  ])("with %s expires on %s", (inner, expiry) => {
    expect(seen(inner).expiry).toBe(expiry);
  });

  test("has the addons that its form shows, the current value before the target", () => {
    const form = seen(`<addon_11>4</addon_11><addon_12>9</addon_12><addon_12_current_value>2</addon_12_current_value>
      <addon_13/><addon_14>Unlimited</addon_14><addon_x>1</addon_x><addon_15>12345678901234567890</addon_15>
      <addon_16>4x</addon_16><addon_17>x4</addon_17><addon_18>100</addon_18><my_addon_19>1</my_addon_19><addon_20_most>9</addon_20_most>`);
    expect(form.addons).toEqual({ 11: 4, 12: 2, 18: 100 });
  });
});

test.each([
  ["<elem><id>1</id></elem><elem><id>2</id></elem><p_elems>2</p_elems>", ["1", "2"], 2],
  ["<p_elems>0</p_elems>", [], 0],
  ["", [], undefined],
  ["<elem><id>1</id></elem><p_elems>many</p_elems>", ["1"], undefined],
  ["<p_elems>12 of 30</p_elems>", [], undefined],
  ["<p_elems>of 30</p_elems>", [], undefined],
  ["<p_elems>30</p_elems>", [], 30],
  ["<elem><id>1</id></elem><elem><id/></elem><elem><id>l2</id></elem><elem/><p_elems>4</p_elems>", ["1"], 4],
])("a page of %s", (inner, elids, total) => {
  const page = pageOf(docOf(inner));
  expect([page.rows.map((row) => row.elid), page.total]).toEqual([elids, total]);
});

test("an empty comment differs from one that is not shown", () => {
  const form = (inner: string) => {
    const reply = readReply(200, `<doc><elid>7</elid>${inner}</doc>`);
    return reply.kind === "document" ? seenLicense(reply.doc, "7") : undefined;
  };
  expect(form("<comment/>")).toMatchObject({ comment: "" });
  expect(form("")).not.toHaveProperty("comment");
});
