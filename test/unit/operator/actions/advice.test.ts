import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { adviceOn } from "../../../../operator/actions/advice.ts";

const page = readFileSync(new URL("../../../../docs/attention.md", import.meta.url), "utf8");
const [, table = ""] = /\n## Reasons\n(.*?)\n## Retry/s.exec(page) ?? [];
const reasons = [...table.matchAll(/^\| (.+?) \| .+? \| .*? ?\|$/gm)]
  .flatMap(([, reasons = ""]) => reasons.split(";").map((reason) => reason.trim()))
  .filter(
    (reason) =>
      !/^(reason|-+|an `event`.*|billmgr tells no expiry.*|… is processing|… is ordered|… \(error …\))$/.test(reason),
  );

test("the documentation lists the reasons", () => {
  expect(reasons.length).toBeGreaterThan(14);
});

test.each(reasons)("there is advice for %s", (reason) => {
  expect(adviceOn(reason.replaceAll("…", "something"))).toMatch(/^[A-Z].*\.$/);
});

test("there is no advice for an unknown reason", () => {
  expect(adviceOn("the moon is full")).toBeUndefined();
});

test.each([
  ["billmgr refused to order vmmanager6 for a month: error access", "Fix the cause that billmgr reports"],
  [
    "billmgr refused to order vmmanager6 for a month: error money; the balance is 3 EUR, and when it rises this is tried again",
    "Top up",
  ],
  [
    "operation 1, order vmmanager6 for a month, is unknown: it lies unpaid in billmgr's basket, maybe more than once: pay it there once",
    "Pay it in billmgr's cart",
  ],
  ["operation 2, suspend license 334673, is unknown: license 334673 is active until 2026-12-23", "Find out at billmgr"],
])("%s: %s", (reason, advice) => {
  expect(adviceOn(reason)).toContain(advice);
});
