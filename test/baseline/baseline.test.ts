import { expect, test } from "vitest";
import { byProfile, compare } from "./compare.ts";

test("without faults both handlers buy each license once, and under faults only ours does", async () => {
  const comparisons = [];
  for (let seed = 1; seed <= 60; seed++) comparisons.push(await compare(seed));
  const totals = byProfile(comparisons);
  for (const { ours } of totals) expect(ours).toMatchObject({ placed: ours.wanted, doubled: 0, lost: 0, unknown: 0 });
  const calm = totals.find(({ profile }) => profile === "calm")?.usual;
  expect(calm).toMatchObject({ placed: calm?.wanted, doubled: 0, lost: 0, unknown: 0 });
  const faulty = totals.filter(({ profile }) => profile !== "calm" && profile !== "shop");
  expect(faulty.reduce((sum, { usual }) => sum + usual.doubled, 0)).toBeGreaterThan(0);
}, 120_000);
