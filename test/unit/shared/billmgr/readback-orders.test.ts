import { describe, expect, test } from "vitest";
import type { Billmgr } from "../../../../shared/billmgr/billmgr.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import { readBack } from "../../../../shared/billmgr/readback.ts";
import type { Operation } from "../../../../shared/licensing/operation.ts";
import { operation, orderOf, utc } from "../../../support/events.ts";

const reference = "bw-0123456789abcdef-1-1";
const knownLicense = { elid: "5", reference: "bw-fedcba9876543210-1-1" };
const seen = (of: Partial<SeenLicense> = {}): SeenLicense => ({
  elid: "77",
  status: "active",
  autosuspended: false,
  expiry: "2027-02-10",
  addons: {},
  ...of,
});
const bare = (elid: string, createdOn?: string) => seen({ elid, ...(createdOn && { createdOn }) });
/** The row of the license that is known to be ours. */
const knownRow = seen({ elid: "5", remoteid: knownLicense.reference });

type Account = {
  rows?: SeenLicense[];
  incomplete?: string;
  forms?: SeenLicense[];
  known?: (typeof knownLicense)[];
  /** The licenses of other subscriptions. */
  held?: Record<string, string>;
};

/** Reads an order back, and which forms were opened for it. */
async function readOrder(of: Partial<Operation>, account: Account) {
  const { rows = [knownRow], incomplete, forms = [], known = [knownLicense], held = {} } = account;
  const opened: string[] = [];
  const billmgr: Partial<Billmgr> = {
    licenses: async () => ({ rows, ...(incomplete && { incomplete }) }),
    license: async (_, elid) => {
      opened.push(elid);
      return forms.find((form) => form.elid === elid);
    },
  };
  const target = { reference, knownLicenses: async () => known, holderOf: async (elid: string) => held[elid] };
  const under = operation({ change: orderOf(), state: "unknown", claimedAt: utc("2027-01-10T00:30"), ...of });
  return { ...(await readBack(under, target, billmgr as Billmgr)), opened };
}

describe("an order whose license is not known", () => {
  const find = (rows: SeenLicense[], of: Account = {}) => readOrder({}, { rows, ...of });

  test.each([
    ["remoteid", seen({ remoteid: reference })],
    ["comment", seen({ comment: reference })],
  ])("is found by its %s", async (_, row) => {
    expect(await find([knownRow, row])).toEqual({
      verdict: "achieved",
      elid: "77",
      evidence: `license 77 carries ${reference}`,
      opened: [],
    });
  });

  test("is found in an incomplete list", async () => {
    const row = seen({ remoteid: reference });
    expect(await find([row], { incomplete: "cut" })).toMatchObject({ verdict: "achieved", elid: "77" });
  });

  test("is not a deleted twin", async () => {
    const twin = seen({ elid: "76", remoteid: reference, status: "deleted" });
    expect(await find([knownRow, twin])).toMatchObject({ verdict: "absent", provesAbsence: true });
    expect(await find([twin, seen({ remoteid: reference })])).toMatchObject({ verdict: "achieved", elid: "77" });
  });

  test("conflicts if several licenses have the reference", async () => {
    const rows = [seen({ elid: "76", remoteid: reference }), seen({ elid: "77", comment: reference })];
    expect(await find(rows)).toMatchObject({ verdict: "conflicting", evidence: expect.stringMatching(/76, 77/) });
    const many = Array.from({ length: 12 }, (_, n) => seen({ elid: String(n), remoteid: reference }));
    expect((await find(many)).evidence).toBe(`licenses 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 all carry ${reference}`);
  });

  test("conflicts if another subscription has the license", async () => {
    expect(await find([seen({ remoteid: reference })], { held: { 77: "standard/other" } })).toMatchObject({
      verdict: "conflicting",
      evidence: "license 77 belongs to the subscription standard/other",
    });
  });

  test.each([
    ["shows a license known to be ours", [knownRow], [{ elid: "4", reference: "bw-gone" }, knownLicense], true],
    ["does not show it", [seen({ elid: "8", remoteid: "bw-x" })], [knownLicense], false],
    ["shows it under another reference", [{ ...knownRow, remoteid: "bw-x" }], [knownLicense], false],
    ["is of an account where none is known", [seen({ elid: "8", remoteid: "bw-x" })], [], false],
    [
      "shows its reference on another license",
      [seen({ elid: "8", remoteid: knownLicense.reference })],
      [knownLicense],
      false,
    ],
  ])("is proved absent only by a list that %s", async (_, rows, known, provesAbsence) => {
    expect(await find(rows, { known })).toMatchObject({ verdict: "absent", provesAbsence });
  });

  test.each([
    ["", [knownRow], [knownLicense]],
    ["; it does not show the reference of a license known to be ours", [seen({ remoteid: "bw-x" })], [knownLicense]],
    [
      "; no license is known to be ours yet, so it is not known whether the list shows references",
      [seen({ remoteid: "bw-x" }), seen({ elid: "9", status: "deleted" })],
      [],
    ],
  ])("is absent, with the evidence%s", async (doubt, rows, known) => {
    const evidence = `none of the 1 licenses listed carries ${reference}${doubt}`;
    expect((await find(rows, { known })).evidence).toBe(evidence);
  });

  test("is not proved absent by an incomplete list", async () => {
    expect(await find([knownRow], { incomplete: "it was cut" })).toMatchObject({
      verdict: "absent",
      provesAbsence: false,
      evidence: expect.stringContaining("it was cut"),
    });
  });

  test.each([
    ["a remoteid", seen({ elid: "8", remoteid: "bw-x" })],
    ["a comment", seen({ elid: "8", comment: "bw-x" })],
  ])("is not looked for in forms if the list shows %s", async (_, row) => {
    expect((await find([row, bare("9")], { known: [] })).opened).toEqual([]);
  });

  describe("in a list that shows no references", () => {
    test("is found by the form of a new license", async () => {
      const rows = [bare("5", "2026-01-01"), bare("77", "2027-01-10")];
      const forms = [seen({ elid: "5", comment: knownLicense.reference }), seen({ comment: reference })];
      expect(await find(rows, { forms })).toMatchObject({ verdict: "achieved", elid: "77" });
    });

    test("is not a license that its form shows as deleted", async () => {
      const forms = [seen({ comment: reference, status: "deleted" })];
      expect(await find([bare("77", "2027-01-10")], { forms })).toMatchObject({ verdict: "absent" });
    });

    test("is looked for in the forms from the day before the claim on, and in those without a day", async () => {
      const rows = [bare("1", "2027-01-08"), bare("2", "2027-01-09"), bare("3")];
      expect((await find(rows, { known: [] })).opened).toEqual(["2", "3"]);
    });

    test("is proved absent by the form of a license known to be ours", async () => {
      const rows = [bare("5", "2026-01-01")];
      const proving = await find(rows, { forms: [seen({ elid: "5", comment: knownLicense.reference })] });
      expect(proving).toMatchObject({ verdict: "absent", provesAbsence: true });
      expect(await find(rows, { forms: [bare("5")] })).toMatchObject({ verdict: "absent", provesAbsence: false });
    });

    test("is not looked for among more than 25 new licenses", async () => {
      const rows = Array.from({ length: 26 }, (_, n) => bare(String(n)));
      expect(await find(rows)).toMatchObject({
        verdict: "pending",
        evidence: "the list shows no references, and 26 licenses are new",
        opened: [],
      });
      expect(await find(rows.slice(1))).toMatchObject({ verdict: "absent", provesAbsence: false });
    });
  });
});

describe("an order for which billmgr named a license", () => {
  const named = (elid: string, account: Account, of: Partial<Operation> = {}) =>
    readOrder({ elid, before: { lastElid: "70" }, ...of }, account);

  test("is confirmed by a license that carries its reference, without the list", async () => {
    const result = await named("77", { forms: [seen({ comment: reference })] });
    expect(result).toMatchObject({ verdict: "achieved", expiry: "2027-02-10", opened: ["77"] });
    expect(result).not.toHaveProperty("elid");
  });

  test("is confirmed by a license that has its reference only in the list", async () => {
    const account = { rows: [knownRow, seen({ remoteid: reference })], forms: [bare("77")] };
    expect(await named("77", account)).toMatchObject({ verdict: "achieved", expiry: "2027-02-10" });
  });

  test("reads the status from the list if the form shows none", async () => {
    const { status, ...form } = bare("77");
    const statusOf = async (shown: SeenLicense["status"]) => {
      const row = seen({ remoteid: reference, ...(shown && { status: shown }) });
      return (await named("77", { rows: [knownRow, row], forms: [form] })).verdict;
    };
    expect([await statusOf("active"), await statusOf("ordered")]).toEqual(["achieved", "pending"]);
  });

  test("F6: is not confirmed by a license that carries another reference in the list, though no form shows one", async () => {
    const rows = [seen({ elid: "9", remoteid: "bw-1111111111111111-1-1" })];
    expect(await named("90", { rows: [...rows, bare("90")], forms: [bare("9"), bare("90")] })).toMatchObject({
      verdict: "achieved",
    });
    expect(await named("9", { rows, forms: [bare("9")] })).toMatchObject({
      verdict: "conflicting",
      evidence: expect.stringMatching(/license 9, .* shows "bw-1111111111111111-1-1" instead of bw-0123/),
    });
  });

  test("F6: is confirmed by the license that carries the reference, not by the one that was named", async () => {
    const rows = [seen({ elid: "9", remoteid: "bw-1111111111111111-1-1" }), seen({ remoteid: reference })];
    for (const forms of [[], [bare("9")], [seen({ elid: "9", comment: "somebody else's" })]]) {
      expect(await named("9", { rows, forms })).toMatchObject({ verdict: "achieved", elid: "77" });
    }
  });

  test("F6: is not confirmed by a license that another subscription has", async () => {
    const forms = [seen({ comment: reference })];
    expect(await named("77", { forms, held: { 77: "standard/other" } })).toMatchObject({
      verdict: "conflicting",
      evidence: "license 77 belongs to the subscription standard/other",
    });
  });

  test.each([
    ["shown and empty in the form", [bare("77")], seen({ comment: "" })],
    ["shown and empty in the list", [seen({ comment: "" })], bare("77")],
  ])("F6: is not confirmed by a license whose comment is %s", async (_, rows, form) => {
    expect(await named("77", { rows, forms: [form] })).toMatchObject({
      verdict: "conflicting",
      evidence: expect.stringContaining('shows "" instead of'),
    });
  });

  describe("if nothing shows references", () => {
    const account = (of: Partial<SeenLicense>): Account => ({ rows: [bare("70"), bare("77")], forms: [seen(of)] });

    test("is confirmed by a license of its product that is newer than all earlier ones", async () => {
      expect(await named("77", account({}))).toMatchObject({ verdict: "achieved" });
      expect(await named("77", account({ pricelist: "55163" }))).toMatchObject({ verdict: "achieved" });
      expect(await named("77", account({ pricelist: "VMmanager 6" }))).toMatchObject({ verdict: "achieved" });
    });

    test.each<[string, Partial<Operation>, Partial<SeenLicense>, string]>([
      ["it was there before", { before: { lastElid: "77" } }, {}, "was there before the order"],
      ["no license number before it is known", { before: {} }, {}, "cannot be distinguished from others"],
      ["it is of another product", {}, { pricelist: "55161" }, "is of the pricelist 55161 instead of 55163"],
    ])("F6: is not confirmed if %s", async (_, of, shown, evidence) => {
      expect(await named("77", account(shown), of)).toMatchObject({
        verdict: "conflicting",
        evidence: expect.stringContaining(evidence),
      });
    });

    test("compares license numbers as numbers", async () => {
      const of = { before: { lastElid: "99999999999999998" } };
      const forms = [bare("100000000000000000")];
      expect(await named("100000000000000000", { rows: [bare("5")], forms }, of)).toMatchObject({
        verdict: "achieved",
      });
    });
  });

  test("is absent if neither the license nor the reference is found", async () => {
    expect(await named("77", {})).toMatchObject({ verdict: "absent", provesAbsence: true });
  });

  test("is pending if the list shows the license and it has no form", async () => {
    const rows = [knownRow, seen({ comment: reference })];
    const result = await named("77", { rows });
    expect(result).toMatchObject({
      verdict: "pending",
      evidence: `license 77 carries ${reference} in the list, and has no form`,
    });
    expect(result).not.toHaveProperty("elid");
  });

  test("is pending while its expiry is less than half of the period ahead", async () => {
    const until = async (expiry: string) =>
      (await named("77", { forms: [seen({ comment: reference, expiry })] })).verdict;
    expect([await until("2027-01-25"), await until("2027-01-26")]).toEqual(["pending", "achieved"]);
  });

  test.each(["claimed", "unknown", "unconfirmed"] as const)(
    "without a status is confirmed only if billmgr answered that it was done: %s",
    async (state) => {
      const { status, ...form } = seen({ comment: reference });
      const { verdict } = await named("77", { forms: [form] }, { state });
      expect(verdict).toBe(state === "unconfirmed" ? "achieved" : "pending");
    },
  );

  test("F4: that is not paid is pending, and unpaid", async () => {
    const forms = [seen({ comment: reference, status: "ordered" })];
    expect(await named("77", { forms })).toMatchObject({ verdict: "pending", unpaid: true });
  });

  test("quotes only the beginning of another comment", async () => {
    const forms = [seen({ elid: "9", comment: `${"x".repeat(59)}\u{1f600}yy` })];
    expect((await named("9", { forms })).evidence).toContain(`shows "${"x".repeat(59)}\ufffd" instead`);
  });

  describe("and an operator adopted", () => {
    const adopted = (shown: Partial<SeenLicense>, rows = [knownRow]) =>
      named(
        "77",
        { rows, forms: [seen({ expiry: "2027-01-11", ...shown })] },
        {
          state: "unconfirmed",
          adopted: { suspended: false, addons: {} },
          resolved: { as: "adopt 77", at: utc("2027-01-10") },
        },
      );

    test.each([[{ comment: "" }], [{ comment: reference }], [{}]])(
      "is confirmed if it shows %j, with any expiry",
      async (shown) => {
        expect(await adopted(shown)).toMatchObject({ verdict: "achieved", expiry: "2027-01-11" });
      },
    );

    test.each([[{ comment: "somebody else's" }], [{ comment: "", remoteid: "l123" }]])(
      "is not confirmed if it shows %j",
      async (shown) => {
        expect(await adopted(shown)).toMatchObject({ verdict: "conflicting" });
        expect(await adopted({}, [knownRow, seen(shown)])).toMatchObject({ verdict: "conflicting" });
      },
    );
  });
});
