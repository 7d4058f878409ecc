import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { purchasesOf, type Step } from "./purchases.ts";
import { readModel } from "./quint.ts";
import { replay } from "./replay.ts";

const source = readModel(readFileSync(new URL("exactly-once.qnt", import.meta.url), "utf8"));
const seeds = 90;

test(`each purchase in ${seeds} runs of the simulation is a behavior of the model`, { timeout: 300_000 }, async () => {
  const taken: Step["does"][] = [];
  let wrongReads = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    for (const [name, steps] of await purchasesOf(seed)) {
      taken.push(...steps.map(({ does }) => does));
      const verdict = replay(source, steps);
      expect(verdict.refusal, `seed ${seed}, ${name}`).toBeUndefined();
      wrongReads += verdict.wrongReads;
    }
  }
  const rare = [
    "dropped",
    "notSent",
    "Lost",
    "Elsewhere",
    "absenceBelieved",
    "resolve",
    "restoreFree",
    "adopt",
  ] as const;
  for (const does of rare) expect(taken).toContain(does);
  expect(wrongReads).toBeLessThan(0.01 * taken.length);
});

/** "3 absent": after three minutes. */
const stepsOf = (story: string): Step[] =>
  story.split(", ").map((step) => {
    const [minute, does] = step.split(" ");
    return { at: Number(minute) * 60_000, does: does as Step["does"] };
  });

describe("the model", () => {
  test.for([
    "0 claim, 0 call, 1 acts, 1 Ok, 1 seen",
    "0 claim, 0 call, 1 Lost, 3 absent, 9 acts, 9 absent, 20 seen",
    "0 claim, 0 call, 1 Lost, 3 absent, 9 absent, 25 dropped, 40 absenceBelieved, 41 claim, 41 call, 41 acts, 42 seen",
    "0 claim, 0 call, 0 Refused, 90 claim, 90 notSent, 91 claim, 91 call, 92 dropped",
    "0 claim, 0 call, 0 Cart, 90 absent, 95 payCart, 99 seen",
    "0 claim, 0 call, 0 dropped, 0 Ok, 3 absent, 90 resolve, 91 claim",
    "0 claim, 0 call, 1 acts, 1 Ok, 1 seen, 90 restoreFree, 91 adopt",
    "0 claim, 0 call, 1 acts, 1 Lost, 90 restoreClaimed, 91 seen",
  ])("allows: %s", (story) => {
    expect(replay(source, stepsOf(story))).toEqual({ wrongReads: 0 });
  });

  test("counts a read that misses a license", () => {
    expect(replay(source, stepsOf("0 claim, 0 call, 0 acts, 1 Lost, 9 absent, 10 seen"))).toEqual({ wrongReads: 1 });
  });

  test.for([
    ["calls before it claims", "0 call, 1 claim"],
    ["claims twice", "0 claim, 9 claim"],
    ["calls twice for a claim", "0 claim, 0 call, 1 call"],
    ["orders again when no reply came", "0 claim, 0 call, 1 Lost, 2 claim"],
    ["orders again after ok", "0 claim, 0 call, 0 dropped, 0 Ok, 90 claim"],
    ["orders again what is in the cart", "0 claim, 0 call, 0 Cart, 90 claim"],
    ["believes an absence early", "0 claim, 0 call, 0 dropped, 1 Lost, 3 absent, 9 absent, 20 absenceBelieved"],
    ["believes two observations", "0 claim, 0 call, 0 dropped, 1 Lost, 9 absent, 50 absenceBelieved"],
    [
      "counts on after an unclear one",
      "0 claim, 0 call, 0 dropped, 1 Lost, 3 absent, 9 absent, 20 unclear, 50 absenceBelieved",
    ],
    ["believes that a license is absent", "0 claim, 0 call, 0 acts, 1 Lost, 8 absent, 9 absent, 50 absenceBelieved"],
    ["orders again after a restore", "0 claim, 0 call, 0 acts, 0 Ok, 0 seen, 90 restoreFree, 91 claim"],
    ["sees what is not there", "0 claim, 0 call, 1 Lost, 9 seen"],
    ["adopts what is not there", "0 adopt"],
    ["records a reply to no call", "0 claim, 1 Lost"],
    ["calls late", "0 claim, 20 call"],
    ["accepts that nothing was bought while that is not certain", "0 claim, 0 call, 1 Lost, 9 resolve"],
  ])("refuses a purchase that %s", ([, story = ""]) => {
    expect(replay(source, stepsOf(story)).refusal).toMatch(/is not allowed|the model concludes/);
  });
});
