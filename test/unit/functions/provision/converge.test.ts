import { describe, expect, test } from "vitest";
import { converge } from "../../../../functions/provision/converge.ts";
import type { SeenLicense } from "../../../../shared/billmgr/license.ts";
import type { Subscription } from "../../../../shared/licensing/subscription.ts";
import { dependenciesOf } from "../../../support/dependencies.ts";
import { catalogWith, licensed, operation, orderOf, paid, slot, utc } from "../../../support/events.ts";

const now = utc("2027-01-05T10:00");
const emptySlot = { n: 2, generation: 1, product: "vmmanager6", plan: "vm-each" };
/** A license of an account that shows no references. */
const bare = (elid: string): SeenLicense => ({
  elid,
  status: "active",
  autosuspended: false,
  expiry: "2027-02-05",
  addons: { "55165": 1 },
});

/** The state after converging where billmgr named that license for the order of the second slot. */
async function afterNaming(elid: string, others: Record<string, Subscription> = {}): Promise<Subscription | undefined> {
  const key = "subscription#standard/shop-1" as const;
  const two = paid("2027-01-01", { through: "2027-02-01" }, { items: [["vm-each", 2]] });
  let stored: Subscription = {
    ...licensed([slot({ n: 1, plan: "vm-each", elid: "101" }), emptySlot], two),
    operation: operation({
      change: orderOf({ slot: 2, plan: "vm-each", addons: { "55165": 1 } }),
      state: "unconfirmed",
      elid,
      before: { lastElid: "70" },
      claimedAt: now,
      due: now,
    }),
    operationCount: 1,
  };
  const rows = [bare("70"), bare("101"), bare("102")];
  const known: Record<string, Subscription> = { ...others, [key]: stored };
  await converge(
    key,
    [],
    dependenciesOf({
      now: () => new Date(now),
      catalog: catalogWith(),
      billmgr: { license: async (_, id) => rows.find((row) => row.elid === id), licenses: async () => ({ rows }) },
      table: {
        load: async (other) => {
          const subscription = other === key ? stored : known[other];
          return subscription && { subscription, version: 1 };
        },
        save: async (_, state) => {
          stored = state.subscription;
          return { ...state, version: 1 };
        },
        find: async () => Object.keys(known) as (typeof key)[],
        halt: async () => undefined,
        knownLicenses: async () => [],
        addKnownLicense: async () => {},
        putOperation: async () => {},
      },
    }),
  );
  return stored;
}

describe("F6: a license that billmgr named for an order, where nothing shows references,", () => {
  const conflict = (holder: string) => ({
    operation: { state: "unconfirmed" },
    attention: [{ reason: { code: "conflicting", evidence: expect.stringContaining(holder) } }],
  });

  test("fills its slot when it is new", async () => {
    const after = await afterNaming("102");
    expect(after?.slots.map(({ license }) => license?.elid)).toEqual(["101", "102"]);
    expect(after?.attention).toBeUndefined();
  });

  test("is not taken from another slot", async () => {
    const after = await afterNaming("101");
    expect(after?.slots.map(({ license }) => license?.elid)).toEqual(["101", undefined]);
    expect(after).toMatchObject(conflict("standard/shop-1"));
  });

  test("is not taken from another subscription", async () => {
    const other = { ...licensed([slot({ elid: "102" })]), id: "shop-2" };
    const after = await afterNaming("102", { "subscription#standard/shop-2": other });
    expect(after?.slots.map(({ license }) => license?.elid)).toEqual(["101", undefined]);
    expect(after).toMatchObject(conflict("standard/shop-2"));
  });
});
