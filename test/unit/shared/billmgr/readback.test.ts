import { describe, expect, test } from "vitest";
import type { Billmgr, Listing } from "../../../../shared/billmgr/billmgr.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import { compareToTarget, readBack } from "../../../../shared/billmgr/readback.ts";
import type { Change } from "../../../../shared/licensing/operation.ts";
import { operation, orderOf, utc } from "../../../support/events.ts";

const reference = "bw-0123456789abcdef-1-1";
const seen = (of: Partial<SeenLicense> = {}): SeenLicense => ({
  elid: "77",
  status: "active",
  autosuspended: false,
  expiry: "2027-02-01",
  addons: {},
  ...of,
});
const license = { slot: 1, elid: "77", family: "platform" };
const order = orderOf();
const prolong: Change = { ...license, kind: "prolong", plan: "vm-monthly", period: 1, expiry: "2027-03-01" };
const edit: Change = { ...license, kind: "edit", plan: "vm-monthly", addons: { "11": 4, "12": 0 } };
const [suspend, resume, remove] = (["suspend", "resume", "delete"] as const).map(
  (kind): Change => ({ ...license, kind }),
);

describe("what a license shows of", () => {
  const asked = { answeredOk: false, expiry: "2027-02-01" };
  const answered = { ...asked, answeredOk: true };
  const bare: SeenLicense = { elid: "77", autosuspended: false, expiry: "2027-02-01", addons: {} };

  test.each<[string, Change | undefined, typeof asked, SeenLicense, string]>([
    ["an order, active", order, asked, seen(), "achieved"],
    ["an order, active, without an expiry", order, asked, seen({ expiry: undefined as never }), "pending"],
    ["an order, without a status, unanswered", order, asked, bare, "pending"],
    ["an order, without a status", order, asked, { elid: "77", autosuspended: false, addons: {} }, "pending"],
    ["an order, without a status, answered ok", order, answered, bare, "achieved"],
    ["a suspend, without a status, answered ok", suspend, answered, bare, "achieved"],
    ["a suspend, without a status, unanswered", suspend, asked, bare, "absent"],
    ["a resume, without a status, answered ok", resume, answered, bare, "achieved"],
    ["a resume, without a status, unanswered", resume, asked, bare, "absent"],
    ["a delete, without a status, answered ok", remove, answered, bare, "achieved"],
    ["a delete, without a status, unanswered", remove, asked, bare, "absent"],
    ["an order, unpaid", order, answered, seen({ status: "ordered" }), "pending"],
    ["an order, in work", order, answered, seen({ status: "processing" }), "pending"],
    ["an order, deleted", order, answered, seen({ status: "deleted" }), "conflicting"],
    ["a prolong, moved", prolong, asked, seen({ expiry: "2027-03-01" }), "achieved"],
    ["a prolong, moved to another day than meant", prolong, asked, seen({ expiry: "2027-02-28" }), "achieved"],
    ["a prolong, not moved", prolong, answered, seen(), "absent"],
    ["a prolong, moved back", prolong, answered, seen({ expiry: "2027-01-01" }), "absent"],
    [
      "a prolong, nothing known before",
      prolong,
      { answeredOk: true } as never,
      seen({ expiry: "2027-03-01" }),
      "absent",
    ],
    ["a prolong, no expiry shown", prolong, asked, seen({ expiry: undefined as never }), "pending"],
    ["a prolong, in work", prolong, asked, seen({ status: "processing", expiry: "2027-03-01" }), "pending"],
    ["an edit, all as wanted", edit, asked, seen({ addons: { "11": 4, "12": 0 } }), "achieved"],
    ["an edit, one differs", edit, answered, seen({ addons: { "11": 4, "12": 1 } }), "absent"],
    ["an edit, one not shown, unanswered", edit, asked, seen({ addons: { "11": 4 } }), "absent"],
    ["an edit, one not shown, answered ok", edit, answered, seen({ addons: { "11": 4 } }), "achieved"],
    ["an edit, none shown, answered ok", edit, answered, seen(), "achieved"],
    ["an edit, more shown than wanted", edit, asked, seen({ addons: { "11": 4, "12": 0, "13": 9 } }), "achieved"],
    ["a suspend, stopped", suspend, asked, seen({ status: "stopped" }), "achieved"],
    [
      "a suspend, stopped by billmgr at expiry",
      suspend,
      asked,
      seen({ status: "stopped", autosuspended: true }),
      "absent",
    ],
    [
      "a suspend, stopped by billmgr, answered ok",
      suspend,
      answered,
      seen({ status: "stopped", autosuspended: true }),
      "achieved",
    ],
    ["a suspend, active", suspend, answered, seen(), "absent"],
    ["a resume, active", resume, asked, seen(), "achieved"],
    ["a resume, stopped", resume, asked, seen({ status: "stopped" }), "absent"],
    ["a resume, deleted", resume, asked, seen({ status: "deleted" }), "conflicting"],
    ["a delete, deleted", remove, asked, seen({ status: "deleted" }), "achieved"],
    ["a delete, in work", remove, asked, seen({ status: "processing" }), "pending"],
    ["a delete, active", remove, asked, seen(), "absent"],
  ])("%s", (_, change, known, license, verdict) => {
    expect(compareToTarget(change as Change, known, license)).toMatchObject({ verdict });
  });
});

test.each<[Change | undefined, SeenLicense, string]>([
  [suspend, seen(), "license 77 is active until 2027-02-01"],
  [suspend, { elid: "77", autosuspended: false, addons: {} }, "license 77 is of unknown status"],
  [order, seen({ status: "ordered" }), "license 77 is ordered until 2027-02-01, not paid"],
  [prolong, seen({ expiry: undefined as never }), "license 77 is active, without an expiry"],
  [edit, seen({ addons: { "11": 4, "99": 1 } }), 'license 77 is active until 2027-02-01, addons {"11":4}'],
])("what was seen is said (%#)", (change, license, evidence) => {
  expect(compareToTarget(change as Change, { answeredOk: false }, license).evidence).toBe(evidence);
});

const noWitnesses = async () => [];

/** A billmgr of which only the readings are called. */
function billmgrWith(licenses: Record<string, SeenLicense>, listing?: Listing) {
  const forms: string[] = [];
  const billmgr: Partial<Billmgr> = {
    licenses: async () => listing ?? { rows: Object.values(licenses) },
    license: async (_, elid) => {
      forms.push(elid);
      return licenses[elid];
    },
  };
  return { billmgr: billmgr as Billmgr, forms };
}

describe("reading back", () => {
  const knownLicense = { elid: "5", reference: "bw-witness-1-1" };
  const byRow = seen({ elid: "5", remoteid: knownLicense.reference });
  const find = (
    rows: SeenLicense[],
    of: { incomplete?: string; known?: (typeof knownLicense)[]; forms?: SeenLicense[]; told?: string } = {},
  ) => {
    const forms = Object.fromEntries((of.forms ?? []).map((form) => [form.elid, form]));
    const { billmgr } = billmgrWith(forms, { rows, ...(of.incomplete && { incomplete: of.incomplete }) });
    const under = operation({ change: order, state: "unknown", claimedAt: utc("2027-01-10T00:30") });
    const knownLicenses = async () => of.known ?? [knownLicense];
    return readBack(under, { reference, elid: of.told, knownLicenses }, billmgr);
  };

  test.each([
    ["remoteid", seen({ elid: "77", remoteid: reference })],
    ["comment", seen({ elid: "77", comment: reference })],
  ])("finds an order by its %s", async (_, row) => {
    expect(await find([byRow, row])).toEqual({
      verdict: "achieved",
      elid: "77",
      evidence: `license 77 carries ${reference}`,
    });
  });

  test("finds it also in a list that was not read whole", async () => {
    const row = seen({ remoteid: reference });
    expect(await find([row], { incomplete: "cut" })).toMatchObject({ verdict: "achieved", elid: "77" });
  });

  test("leaves deleted twins out", async () => {
    const twin = seen({ elid: "76", remoteid: reference, status: "deleted" });
    expect(await find([byRow, twin])).toMatchObject({ verdict: "absent", provesAbsence: true });
    expect(await find([twin, seen({ remoteid: reference })])).toMatchObject({ verdict: "achieved", elid: "77" });
  });

  test("asks when two licenses carry the reference", async () => {
    const rows = [seen({ elid: "76", remoteid: reference }), seen({ elid: "77", comment: reference })];
    expect(await find(rows)).toMatchObject({ verdict: "conflicting", evidence: expect.stringMatching(/76, 77/) });
    const many = Array.from({ length: 12 }, (_, n) => seen({ elid: String(n), remoteid: reference }));
    expect((await find(many)).evidence).toBe(`licenses 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 all carry ${reference}`);
  });

  test.each([
    ["showed a license known to be ours", [byRow], [{ elid: "4", reference: "bw-gone" }, knownLicense], true],
    ["did not show it", [seen({ elid: "8", remoteid: "bw-x" })], [knownLicense], false],
    ["showed it under another reference", [{ ...byRow, remoteid: "bw-x" }], [knownLicense], false],
    ["knows of none", [seen({ elid: "8", remoteid: "bw-x" })], [], false],
    [
      "showed its reference on another license",
      [seen({ elid: "8", remoteid: knownLicense.reference })],
      [knownLicense],
      false,
    ],
  ])("takes absence for proof only by a list that %s", async (_, rows, known, provesAbsence) => {
    expect(await find(rows, { known })).toMatchObject({ verdict: "absent", provesAbsence });
  });

  test.each([
    ["", [byRow], [knownLicense]],
    ["; it does not show the reference of a license known to be ours", [seen({ remoteid: "bw-x" })], [knownLicense]],
    [
      "; no license of ours is known yet to tell whether it would show one",
      [seen({ remoteid: "bw-x" }), seen({ elid: "9", status: "deleted" })],
      [],
    ],
  ])("says what an absence lacks%s", async (doubt, rows, known) => {
    const evidence = `none of the 1 licenses listed carries ${reference}${doubt}`;
    expect((await find(rows, { known })).evidence).toBe(evidence);
  });

  test.each([
    ["the remoteid", seen({ elid: "8", remoteid: "bw-x" })],
    ["the comment", seen({ elid: "8", comment: "bw-x" })],
  ])("opens no forms where the list shows %s of any license", async (_, row) => {
    const { billmgr, forms } = billmgrWith({}, { rows: [row, seen({ elid: "9" })] });
    const under = operation({ change: order, state: "unknown" });
    await readBack(under, { reference, elid: undefined, knownLicenses: noWitnesses }, billmgr);
    expect(forms).toEqual([]);
  });

  test("takes no absence from a list that was not read whole", async () => {
    expect(await find([byRow], { incomplete: "it was cut" })).toMatchObject({
      verdict: "absent",
      provesAbsence: false,
      evidence: expect.stringContaining("it was cut"),
    });
  });

  describe("where the list shows no references", () => {
    const bare = (elid: string, createdOn?: string) => seen({ elid, ...(createdOn && { createdOn }) });

    test("finds the order by the forms of the licenses that are new", async () => {
      const rows = [bare("5", "2026-01-01"), bare("77", "2027-01-10")];
      const forms = [seen({ elid: "5", comment: knownLicense.reference }), seen({ elid: "77", comment: reference })];
      expect(await find(rows, { forms })).toMatchObject({ verdict: "achieved", elid: "77" });
    });

    test("leaves out one that its form shows to be deleted", async () => {
      const forms = [seen({ elid: "77", comment: reference, status: "deleted" })];
      expect(await find([bare("77", "2027-01-10")], { forms })).toMatchObject({ verdict: "absent" });
    });

    test("opens a form from the day before the claim on, and of those without a day", async () => {
      const rows = [bare("1", "2027-01-08"), bare("2", "2027-01-09"), bare("3")];
      const { billmgr, forms } = billmgrWith({}, { rows });
      const under = operation({ change: order, state: "unknown", claimedAt: utc("2027-01-10T00:30") });
      await readBack(under, { reference, elid: undefined, knownLicenses: noWitnesses }, billmgr);
      expect(forms).toEqual(["2", "3"]);
    });

    test("takes absence for proof by the form of a license known to be ours", async () => {
      const rows = [bare("5", "2026-01-01")];
      expect(await find(rows, { forms: [seen({ elid: "5", comment: knownLicense.reference })] })).toMatchObject({
        verdict: "absent",
        provesAbsence: true,
      });
      expect(await find(rows, { forms: [seen({ elid: "5" })] })).toMatchObject({ provesAbsence: false });
    });

    test("takes nothing from too many new licenses", async () => {
      const rows = Array.from({ length: 26 }, (_, n) => bare(String(n)));
      expect(await find(rows)).toMatchObject({
        verdict: "pending",
        evidence: expect.stringMatching(/26 licenses are new/),
      });
      expect(await find(rows.slice(1))).toMatchObject({ verdict: "absent", provesAbsence: false });
    });
  });

  describe("where billmgr told an id for an order", () => {
    test("takes it only as long as the license does not carry another comment", async () => {
      const ours = seen({ elid: "77", remoteid: reference });
      const other = seen({ elid: "9", comment: "somebody else's" });
      expect(await find([byRow], { told: "77", forms: [ours] })).toMatchObject({ verdict: "achieved" });
      expect(await find([byRow], { told: "77", forms: [seen({ elid: "77" })] })).toMatchObject({ verdict: "achieved" });
      expect(await find([byRow], { told: "9", forms: [other] })).toMatchObject({
        verdict: "conflicting",
        evidence: expect.stringMatching(/license 9, .* "somebody else's" instead of bw-/),
      });
    });

    test("finds ours by its reference where the id is no license, or another's", async () => {
      const row = seen({ elid: "77", comment: reference });
      expect(await find([byRow, row], { told: "9001" })).toMatchObject({ verdict: "achieved", elid: "77" });
      const forms = [seen({ elid: "9", comment: "somebody else's" })];
      expect(await find([byRow, row], { told: "9", forms })).toMatchObject({ verdict: "achieved", elid: "77" });
    });

    test("takes none for ours whose comment is shown and empty, nor one older than the order that shows nothing", async () => {
      const row = seen({ elid: "77", comment: reference });
      for (const other of [seen({ elid: "9", comment: "" }), seen({ elid: "9", createdOn: "2027-01-08" })]) {
        expect(await find([byRow, row], { told: "9", forms: [other] })).toMatchObject({ elid: "77" });
        expect(await find([byRow], { told: "9", forms: [other] })).toMatchObject({ verdict: "conflicting" });
      }
      const made = seen({ elid: "9", createdOn: "2027-01-09" });
      expect(await find([byRow], { told: "9", forms: [made] })).toMatchObject({ verdict: "achieved" });
    });

    test("believes no expiry that is less than half of what was ordered, which a prolong would be bought for", async () => {
      const until = (expiry: string) =>
        find([], { told: "77", forms: [seen({ elid: "77", comment: reference, expiry })] });
      expect(await until("2027-01-10")).toMatchObject({
        verdict: "pending",
        evidence: expect.stringContaining("too soon"),
      });
      expect(await until("2027-01-25")).toMatchObject({ verdict: "pending" });
      expect(await until("2027-01-26")).toMatchObject({ verdict: "achieved" });
    });

    test("waits while the list shows it and its form does not", async () => {
      const row = seen({ elid: "77", comment: reference });
      expect(await find([byRow, row], { told: "77" })).toMatchObject({
        verdict: "pending",
        evidence: `license 77 carries ${reference} in the list`,
      });
    });

    test("quotes no more than the beginning of another's comment", async () => {
      const forms = [seen({ elid: "9", comment: `${"x".repeat(59)}\u{1f600}yy` })];
      expect((await find([byRow], { told: "9", forms })).evidence).toContain(
        `the comment "${"x".repeat(59)}\ufffd" instead`,
      );
    });

    test("an unpaid one is said to be that", async () => {
      const forms = [seen({ elid: "77", comment: reference, status: "ordered" })];
      expect(await find([], { told: "77", forms })).toMatchObject({ verdict: "pending", unpaid: true });
    });
  });

  test("judges an order whose license is known by that license", async () => {
    const { billmgr } = billmgrWith({ "77": seen({ comment: reference }) });
    const under = operation({ change: order, state: "unconfirmed" });
    const result = await readBack(under, { reference, elid: "77", knownLicenses: noWitnesses }, billmgr);
    expect(result).toMatchObject({ verdict: "achieved", expiry: "2027-02-01" });
    expect(result).not.toHaveProperty("elid");
  });

  test.each(["claimed", "unknown", "unconfirmed"] as const)(
    "takes billmgr at its word only where it gave that: %s",
    async (state) => {
      const shown: SeenLicense = { elid: "77", autosuspended: false, expiry: "2027-02-01", addons: {} };
      const { billmgr } = billmgrWith({ "77": shown });
      const word = state === "unconfirmed";
      const sought = { reference, elid: "77", knownLicenses: noWitnesses };
      for (const [change, otherwise] of [
        [suspend, "pending"],
        [order, "pending"],
      ] as const) {
        const { verdict } = await readBack(operation({ change: change as Change, state }), sought, billmgr);
        expect(verdict).toBe(word ? "achieved" : otherwise);
      }
    },
  );

  test.each([
    ["a suspend", suspend],
    ["a resume", resume],
    ["a delete", remove],
    ["an edit", edit],
  ] as [string, Change][])("takes no absence of %s from a form that does not show it", async (_, change) => {
    const { status, ...bare } = seen();
    const billmgr = { license: async () => bare } as unknown as Billmgr;
    const sought = { reference, elid: "77", knownLicenses: async () => [] };
    const result = await readBack(operation({ change, state: "unknown" }), sought, billmgr);
    expect(result).toMatchObject({ verdict: "pending", evidence: expect.stringContaining("does not show") });
  });

  test("takes what a form does show for absence: one of the addons, or the expiry", async () => {
    const observation = async (change: Change, shown: Partial<SeenLicense>) => {
      const { status, ...bare } = seen(shown);
      const { billmgr } = billmgrWith({ "77": bare });
      const under = operation({ change, state: "unknown", before: { expiry: "2027-02-01" } });
      return (await readBack(under, { reference, elid: "77", knownLicenses: noWitnesses }, billmgr)).verdict;
    };
    expect(await observation(edit, { addons: { "11": 3 } })).toBe("absent");
    expect(await observation(edit, { addons: { "13": 3 } })).toBe("pending");
    expect(await observation(prolong, {})).toBe("absent");
  });

  test("takes what an operator adopts also without a reference and with an expiry of its own, but not another's", async () => {
    const observation = async (shown: Partial<SeenLicense>) => {
      const { billmgr } = billmgrWith({ "77": seen({ expiry: "2027-01-11", ...shown }) }, { rows: [] });
      const resolved = { as: "adopt 77", at: utc("2027-01-10") };
      const under = operation({ change: order, state: "unconfirmed", claimedAt: utc("2027-01-10"), resolved });
      return (await readBack(under, { reference, elid: "77", knownLicenses: noWitnesses }, billmgr)).verdict;
    };
    expect(await observation({ comment: "" })).toBe("achieved");
    expect(await observation({ comment: reference })).toBe("achieved");
    expect(await observation({ comment: "somebody else's" })).toBe("conflicting");
    expect(await observation({ comment: "", remoteid: "l123" })).toBe("conflicting");
  });

  test("judges a prolong against the expiry before it", async () => {
    const { billmgr } = billmgrWith({ "77": seen({ expiry: "2027-03-01" }) });
    const observation = (expiry: string) =>
      readBack(
        operation({ change: prolong, before: { expiry } }),
        { reference, elid: "77", knownLicenses: noWitnesses },
        billmgr,
      );
    expect(await observation("2027-02-01")).toMatchObject({ verdict: "achieved" });
    expect(await observation("2027-03-01")).toMatchObject({ verdict: "absent" });
  });

  test.each([
    ["a delete", remove, "achieved"],
    ["a suspend", suspend, "conflicting"],
    ["an order, which may take a while to show,", order, "absent"],
  ])("of a license that billmgr knows no more judges %s", async (_, change, verdict) => {
    const { billmgr } = billmgrWith({});
    const under = operation({ change: change as Change });
    const result = await readBack(under, { reference, elid: "77", knownLicenses: noWitnesses }, billmgr);
    expect(result).toMatchObject({ verdict });
    if (change !== order) expect(result.evidence).toBe("billmgr knows no license 77");
  });
});
