import { describe, expect, test } from "vitest";
import type { Billmgr } from "../../../../shared/billmgr/billmgr.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import { compareToTarget, readBack, type SearchTarget } from "../../../../shared/billmgr/readback.ts";
import type { Change } from "../../../../shared/licensing/operation.ts";
import { operation, orderOf } from "../../../support/events.ts";

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
const suspend: Change = { ...license, kind: "suspend" };
const resume: Change = { ...license, kind: "resume" };
const remove: Change = { ...license, kind: "delete" };

describe("a license compared to the target of", () => {
  const unknown = { answeredOk: false, expiry: "2027-02-01" };
  const answered = { ...unknown, answeredOk: true };
  const bare: SeenLicense = { elid: "77", autosuspended: false, expiry: "2027-02-01", addons: {} };

  test.each<[string, Change, typeof unknown, SeenLicense, string]>([
    ["an order, active", order, unknown, seen(), "achieved"],
    ["an order, active, without an expiry", order, unknown, seen({ expiry: undefined as never }), "pending"],
    ["an order, without a status, without an answer", order, unknown, bare, "pending"],
    ["an order, without a status", order, unknown, { elid: "77", autosuspended: false, addons: {} }, "pending"],
    ["an order, without a status, answered ok", order, answered, bare, "achieved"],
    ["a suspend, without a status, answered ok", suspend, answered, bare, "achieved"],
    ["a suspend, without a status, without an answer", suspend, unknown, bare, "absent"],
    ["a resume, without a status, answered ok", resume, answered, bare, "achieved"],
    ["a resume, without a status, without an answer", resume, unknown, bare, "absent"],
    ["a delete, without a status, answered ok", remove, answered, bare, "achieved"],
    ["a delete, without a status, without an answer", remove, unknown, bare, "absent"],
    ["an order, unpaid", order, answered, seen({ status: "ordered" }), "pending"],
    ["an order, processing", order, answered, seen({ status: "processing" }), "pending"],
    ["an order, deleted", order, answered, seen({ status: "deleted" }), "conflicting"],
    ["a prolong, moved", prolong, unknown, seen({ expiry: "2027-03-01" }), "achieved"],
    ["a prolong, moved to another day than expected", prolong, unknown, seen({ expiry: "2027-02-28" }), "achieved"],
    ["a prolong, not moved", prolong, answered, seen(), "absent"],
    ["a prolong, moved back", prolong, answered, seen({ expiry: "2027-01-01" }), "absent"],
    [
      "a prolong, nothing known before",
      prolong,
      { answeredOk: true } as never,
      seen({ expiry: "2027-03-01" }),
      "absent",
    ],
    ["a prolong, no expiry shown", prolong, unknown, seen({ expiry: undefined as never }), "pending"],
    ["a prolong, processing", prolong, unknown, seen({ status: "processing", expiry: "2027-03-01" }), "pending"],
    ["an edit, all as wanted", edit, unknown, seen({ addons: { "11": 4, "12": 0 } }), "achieved"],
    ["an edit, one differs", edit, answered, seen({ addons: { "11": 4, "12": 1 } }), "absent"],
    ["an edit, one not shown, without an answer", edit, unknown, seen({ addons: { "11": 4 } }), "absent"],
    ["an edit, one not shown, answered ok", edit, answered, seen({ addons: { "11": 4 } }), "achieved"],
    ["an edit, none shown, answered ok", edit, answered, seen(), "achieved"],
    ["an edit, more shown than wanted", edit, unknown, seen({ addons: { "11": 4, "12": 0, "13": 9 } }), "achieved"],
    ["a suspend, stopped", suspend, unknown, seen({ status: "stopped" }), "achieved"],
    [
      "F8: a suspend, stopped by billmgr at expiry",
      suspend,
      unknown,
      seen({ status: "stopped", autosuspended: true }),
      "achieved",
    ],
    [
      "a resume, stopped by billmgr at expiry",
      resume,
      unknown,
      seen({ status: "stopped", autosuspended: true }),
      "absent",
    ],
    ["a suspend, active", suspend, answered, seen(), "absent"],
    ["a resume, active", resume, unknown, seen(), "achieved"],
    ["a resume, stopped", resume, unknown, seen({ status: "stopped" }), "absent"],
    ["a resume, deleted", resume, unknown, seen({ status: "deleted" }), "conflicting"],
    ["a delete, deleted", remove, unknown, seen({ status: "deleted" }), "achieved"],
    ["a delete, processing", remove, unknown, seen({ status: "processing" }), "pending"],
    ["a delete, active", remove, unknown, seen(), "absent"],
  ])("%s", (_, change, known, license, verdict) => {
    expect(compareToTarget(change, known, license)).toMatchObject({ verdict });
  });
});

test.each<[Change, SeenLicense, string]>([
  [suspend, seen(), "license 77 is active until 2027-02-01"],
  [suspend, { elid: "77", autosuspended: false, addons: {} }, "license 77 is of unknown status"],
  [order, seen({ status: "ordered" }), "license 77 is ordered until 2027-02-01, not paid"],
  [prolong, seen({ expiry: undefined as never }), "license 77 is active, without an expiry"],
  [edit, seen({ addons: { "11": 4, "99": 1 } }), 'license 77 is active until 2027-02-01, addons {"11":4}'],
])("the evidence contains what was seen (%#)", (change, license, evidence) => {
  expect(compareToTarget(change, { answeredOk: false }, license).evidence).toBe(evidence);
});

test.each([
  ["an order", order],
  ["a prolong", prolong],
  ["an edit", edit],
  ["a suspend", suspend],
  ["a resume", resume],
  ["a delete", remove],
])("F12: a status that is not understood confirms nothing: %s", (_, change) => {
  const { status, ...rest } = seen({ expiry: "2027-03-01", addons: { "11": 4, "12": 0 }, unreadableStatus: "Aktiv" });
  for (const answeredOk of [true, false]) {
    expect(compareToTarget(change, { answeredOk, expiry: "2027-02-01" }, rest)).toMatchObject({
      verdict: "pending",
      evidence: 'license 77 is of the status "Aktiv" until 2027-03-01, which is not understood',
    });
  }
});

test.each([
  ["stopped", true],
  ["active", false],
  [undefined, undefined],
] as const)("F7: a prolong shows whether its license is stopped: %s", (status, isStopped) => {
  const { status: _, ...rest } = seen({ expiry: "2027-03-01" });
  const compared = compareToTarget(
    prolong,
    { answeredOk: true, expiry: "2027-02-01" },
    { ...rest, ...(status && { status }) },
  );
  expect(compared).toMatchObject({ verdict: "achieved", expiry: "2027-03-01" });
  expect(compared.isStopped).toBe(isStopped);
});

test("F4: an order that is not paid is pending, and unpaid", () => {
  expect(compareToTarget(order, { answeredOk: true }, seen({ status: "ordered" }))).toMatchObject({
    verdict: "pending",
    unpaid: true,
  });
});

test.each([
  [{ period: 1 }, "2027-01-10", "pending"],
  [{ period: 1 }, "2027-01-25", "pending"],
  [{ period: 1 }, "2027-01-26", "achieved"],
  [{ period: 12 }, "2027-07-10", "pending"],
  [{ period: 12 }, "2027-07-12", "achieved"],
  [{ period: -100, trial: true }, "2027-01-10", "achieved"],
])("an order of %j that expires on %s, ordered on 2027-01-10, is %s", (of, expiry, verdict) => {
  const known = { answeredOk: true, orderedOn: "2027-01-10" };
  expect(compareToTarget(orderOf(of), known, seen({ expiry }))).toMatchObject({ verdict });
});

describe("a read of a change other than an order", () => {
  const target: SearchTarget = {
    reference: "bw-0123456789abcdef-1-1",
    knownLicenses: async () => [],
    holderOf: async () => undefined,
  };
  const read = (of: Parameters<typeof operation>[0], shown?: SeenLicense) =>
    readBack(operation(of), target, { license: async () => shown } as Partial<Billmgr> as Billmgr);
  const { status: _, ...bare } = seen();

  test.each(["claimed", "unknown", "unconfirmed"] as const)(
    "accepts a license without a status only if billmgr answered: %s",
    async (state) => {
      const { verdict } = await read({ change: suspend, state }, bare);
      expect(verdict).toBe(state === "unconfirmed" ? "achieved" : "pending");
    },
  );

  test.each([
    ["a suspend", suspend],
    ["a resume", resume],
    ["a delete", remove],
    ["an edit", edit],
  ])("proves no absence of %s by a form that does not show it", async (_, change) => {
    const result = await read({ change, state: "unknown" }, bare);
    expect(result).toMatchObject({ verdict: "pending", evidence: expect.stringContaining("does not show") });
  });

  test("proves an absence by one of the addons, or by the expiry", async () => {
    const verdictOf = async (change: Change, shown: Partial<SeenLicense>) =>
      (await read({ change, state: "unknown", before: { expiry: "2027-02-01" } }, { ...bare, ...shown })).verdict;
    expect(await verdictOf(edit, { addons: { "11": 3 } })).toBe("absent");
    expect(await verdictOf(edit, { addons: { "13": 3 } })).toBe("pending");
    expect(await verdictOf(prolong, {})).toBe("absent");
  });

  test("compares a prolong to the expiry before it", async () => {
    const verdictOf = async (expiry: string) =>
      (await read({ change: prolong, before: { expiry } }, seen({ expiry: "2027-03-01" }))).verdict;
    expect(await verdictOf("2027-02-01")).toBe("achieved");
    expect(await verdictOf("2027-03-01")).toBe("absent");
  });

  test.each([
    ["a delete", remove, "achieved"],
    ["a suspend", suspend, "conflicting"],
    ["a prolong", prolong, "conflicting"],
  ])("of a license that billmgr does not know: %s", async (_, change, verdict) => {
    expect(await read({ change })).toEqual({ verdict, evidence: "billmgr does not know license 77" });
  });
});
