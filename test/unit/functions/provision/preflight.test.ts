import { describe, expect, test } from "vitest";
import { preflight } from "../../../../functions/provision/preflight.ts";
import type { Billmgr, Listing } from "../../../../shared/billmgr/billmgr.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import { ReadError } from "../../../../shared/errors.ts";
import { type Change, referenceOf } from "../../../../shared/licensing/operation.ts";
import { catalogWith, licensed, orderOf, slot } from "../../../support/events.ts";

const held = { slot: 1, elid: "101", family: "platform" };
const suspend: Change = { ...held, kind: "suspend" };
const resume: Change = { ...held, kind: "resume" };
const remove: Change = { ...held, kind: "delete" };
const edit: Change = { ...held, kind: "edit", plan: "vm-monthly", addons: { "55165": 4 } };
const prolong: Change = { ...held, kind: "prolong", plan: "vm-monthly", period: 1, expiry: "2027-03-01" };
const subscription = licensed([slot({ expiry: "2027-02-01" })]);

const seen = (of: Partial<SeenLicense> = {}): SeenLicense => ({
  elid: "101",
  status: "active",
  autosuspended: false,
  expiry: "2027-02-01",
  addons: { "55165": 1 },
  ...of,
});

/** Checks a change where billmgr shows that form of any license, and that list. */
function check(change: Change, form: SeenLicense | undefined | Error, listing: Listing = { rows: [] }) {
  const license = async () => {
    if (form instanceof Error) throw form;
    return form;
  };
  return preflight(change, subscription, {
    billmgr: { license } as Partial<Billmgr> as Billmgr,
    catalog: catalogWith(),
    listing: async () => listing,
  });
}

describe("a change of a license", () => {
  test.each([
    ["suspend", suspend],
    ["delete", remove],
    ["edit", edit],
    ["prolong", prolong],
  ])("is clear while it has no effect yet, and keeps what was read: %s", async (_, change) => {
    expect(await check(change, seen())).toMatchObject({
      kind: "clear",
      before: { expiry: "2027-02-01", evidence: expect.stringContaining("license 101 is active until 2027-02-01") },
    });
  });

  test.each([
    [
      "F8: a suspend of a license that billmgr stopped at expiry",
      suspend,
      seen({ status: "stopped", autosuspended: true }),
    ],
    ["a suspend of a stopped license", suspend, seen({ status: "stopped" })],
    ["a resume of an active license", resume, seen()],
    ["an edit to the addons that it has", edit, seen({ addons: { "55165": 4 } })],
    ["a prolong of a license that somebody prolonged", prolong, seen({ expiry: "2027-03-01" })],
    ["a delete of a deleted license", remove, seen({ status: "deleted" })],
    ["a delete of a license that is to be closed", remove, seen({ closes: true })],
    ["a delete of a license that billmgr does not know", remove, undefined],
  ])("is made already: %s", async (_, change, form) => {
    expect(await check(change, form)).toMatchObject({ kind: "already" });
  });

  test.each([
    ["a license that is processing", prolong, seen({ status: "processing" })],
    ["an unpaid license", prolong, seen({ status: "ordered" })],
    ["a license without an expiry", prolong, { elid: "101", autosuspended: false, addons: {} }],
  ])("waits for %s", async (_, change, form) => {
    expect(await check(change, form)).toMatchObject({ kind: "wait" });
  });

  test.each([suspend, resume, remove, edit, prolong])(
    "F12: waits where the status is not understood (%#)",
    async (change) => {
      const { status, ...form } = seen({ unreadableStatus: "Aktiv" });
      expect(await check(change, form)).toEqual({
        kind: "wait",
        why: 'license 101 is of the status "Aktiv" until 2027-02-01, which is not understood',
      });
    },
  );

  test("waits where billmgr cannot be read, and fails for any other reason", async () => {
    expect(await check(suspend, new ReadError("HTTP 502"))).toEqual({ kind: "wait", why: "HTTP 502" });
    await expect(check(suspend, new Error("a bug"))).rejects.toThrow("a bug");
  });

  test("needs attention where the license is deleted or not known", async () => {
    expect(await check(prolong, seen({ status: "deleted" }))).toMatchObject({
      kind: "attention",
      reason: { code: "conflicting", change: prolong, evidence: "license 101 is deleted until 2027-02-01" },
    });
    expect(await check(prolong, undefined)).toEqual({
      kind: "attention",
      reason: { code: "license_missing", elid: "101", change: prolong },
    });
  });
});

describe("an order", () => {
  const order = orderOf({ slot: 2 });
  const rows = [seen({ elid: "80", comment: "somebody else's" })];

  test("is clear where no license carries its reference, and keeps the highest license number", async () => {
    expect(await check(order, undefined, { rows })).toEqual({ kind: "clear", before: { lastElid: "80" } });
  });

  test("that was made before adopts its license", async () => {
    const ours = seen({ elid: "77", comment: referenceOf(subscription, { n: 2, generation: 1 }) });
    expect(await check(order, ours, { rows: [...rows, ours] })).toMatchObject({
      kind: "adopt",
      match: { elid: "77", change: { slot: 2 } },
    });
  });

  test("waits while the list is incomplete", async () => {
    expect(await check(order, undefined, { rows, incomplete: "cut" })).toMatchObject({ kind: "wait" });
  });

  test("that replaces a license whose expiry moved is decided again", async () => {
    const replacing = { ...order, replaces: { n: 1, generation: 1 } };
    expect(await check(replacing, seen({ expiry: "2027-03-01" }), { rows })).toEqual({
      kind: "moved",
      elid: "101",
      expiry: "2027-03-01",
    });
    expect(await check(replacing, seen(), { rows })).toMatchObject({ kind: "clear" });
  });
});
