import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { checkImport, executeMove } from "../../operator/actions/import.ts";
import { readCsv } from "../../operator/cli/csv.ts";
import { run } from "../support/command.ts";
import { done, paid, tell } from "../support/local.ts";
import { lineOf, useShop } from "../support/moving-in.ts";

// Some tests start several processes in sequence.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
const shop = useShop();
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "billmgr-webhooks-move-in-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const ops = (...args: string[]) => run([...args, "--url", shop.stack.url]);
const rowsOf = (csv: string) => readCsv(csv).map(({ cells }) => cells);

describe("import", () => {
  test("lists, shows the result, stores with --yes, and changes nothing the second time", async () => {
    const [one, other] = [await shop.buy({ comment: "=1+1, Miller" }), await shop.buyDci()];
    const listed = await ops("import", "--list");
    expect(listed).toMatchObject({ code: 0, err: "" });
    const header = ["subscription", "elid", "plan", "quantity", "customer", "email", "paidThrough"];
    expect(rowsOf(listed.out)).toEqual([
      [...header, "pricelist", "expiry", "status", "comment"],
      ["", one, "vm6-monthly", "1", "", "", "", "VMmanager 6", "2026-12-23", "active", "'=1+1, Miller"],
      ["", other, "", "", "", "", "", "DCImanager 6", "2026-12-23", "active", ""],
    ]);

    const completed = file("licenses.csv", listed.out.replace(`\n,${one}`, `\nstandard/42,${one}`));
    const dry = await ops("import", completed);
    expect(dry).toMatchObject({ code: 0, err: "" });
    expect(dry.out).toContain("standard/42, 1 × vm6-monthly, paid through 2026-12-23\n");
    expect(dry.out).toContain(
      `  license ${one}, vm6-monthly, active until 2026-12-23, virtualMachines: 0, nodes: 1\n  next: nothing to do before 2026-12-23`,
    );
    expect(dry.out).toContain(
      "1 subscription, 0 with immediate changes at billmgr, 1 line without a subscription skipped",
    );
    expect(dry.out).toMatch(/Nothing was stored yet\. Pass --yes to store this\.\n$/);
    expect(await shop.deps.table.subscriptions()).toEqual({ found: [] });

    expect((await ops("import", completed, "--yes")).out).toMatch(
      /Stored\. The subscriptions are being processed\.\n$/,
    );
    expect((await ops("show", "standard/42")).out).toContain(`${one}, vm6-monthly, active until 2026-12-23`);
    expect((await ops("import", completed, "--yes")).out).toMatch(
      /1 already imported.*\nThere is nothing to store\.\n$/,
    );
    const again = await ops("import", completed, "--yes", "--json");
    expect(JSON.parse(again.out)).toMatchObject({ moves: [], held: ["standard/42"], refused: [], unnamed: 1 });
    expect(rowsOf((await ops("import", "--list")).out).map(([, elid]) => elid)).toEqual(["elid", other]);
    await shop.minute();
    expect(done(shop.stack)).toEqual([`order ${one}`, `order ${other}`]);
  });

  test("stores the missing event of an interrupted import, with --yes", async () => {
    const elid = await shop.buy();
    const { moves } = await checkImport([lineOf({ elid })], shop.deps);
    const dies = { ...shop.deps.table, putEvent: () => Promise.reject(new Error("killed")) };
    for (const move of moves) await executeMove(move, { ...shop.deps, table: dies }).catch(() => {});
    const licenses = file("cut-off.csv", `subscription,elid,plan\nstandard/42,${elid},vm6-monthly\n`);
    const summary = "1 already imported, 1 of them by an interrupted import whose event is missing";
    const events = () => shop.deps.table.events("subscription#standard/42");
    expect((await ops("import", licenses)).out).toContain(summary);
    expect(await events()).toEqual([]);
    expect((await ops("import", licenses, "--yes")).out).toContain(summary);
    expect(await events()).toMatchObject([{ received: { id: `import-${elid}` }, status: "applied" }]);
    expect((await ops("import", licenses, "--yes")).out).not.toContain("interrupted");
  });

  test("stores nothing if one line is refused, with exit code 1", async () => {
    const elid = await shop.buy({ addon_55165: "4" });
    const csv = `subscription;elid;plan;quantity;paidThrough\nstandard/1;${elid};vm6-monthly;2;2027-02-01T00:00:00Z\nstandard/2;77;vm6-monthly;;\n`;
    const { code, out } = await ops("import", file("refused.csv", csv), "--yes");
    expect(code).toBe(1);
    expect(out).toContain("  then prolong license");
    expect(out).toContain("  then set addon 55164 = 0, addon 55165 = 2 of license");
    expect(out).toContain("refused:\n  line 3: billmgr has no license 77 of platform\n");
    expect(out).toContain("1 with immediate changes at billmgr, including 1 PURCHASE");
    expect(out).toMatch(/Nothing was stored\.\n$/);
    expect(await shop.deps.table.subscriptions()).toEqual({ found: [] });
  });

  test.each([
    ["elid,plan,subscripton\n", 'line 1: no column "subscription"; did you mean "subscripton"?'],
    ["subscription,elid,plan,quantity\ns/1,5,p,two\n", 'line 2: quantity: found "two", expected a whole number'],
    ["subscription,elid,plan,paidThrough\ns/1,5,p,31.1.27\n", 'line 2: paidThrough: found "31.1.27", expected a day'],
    ["subscription,elid,plan,paidThrough\ns/1,5,p,2027-02-30\n", 'found "2027-02-30", expected a day'],
    ["subscription,elid,plan\ns/1,,p\ns/2,5,\n", "line 2: elid is empty\n  line 3: plan is empty"],
    ['subscription,elid,plan\ns/1,"5,p\n', "line 2: a quotation mark is not closed"],
  ])("a file %j is refused with the line and the problem", async (text, response) => {
    const { code, err } = await ops("import", file("wrong.csv", text), "--yes");
    expect([code, err]).toEqual([1, expect.stringContaining(response)]);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test("needs a file that exists, or --list", async () => {
    expect(await ops("import")).toMatchObject({ code: 1, err: expect.stringContaining("a file, or --list") });
    expect(await ops("import", "a.csv", "--list")).toMatchObject({ code: 1 });
    const missing = await ops("import", join(folder, "none.csv"));
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("none.csv does not exist") });
  });

  test("reports that a list may be incomplete, with exit code 1", async () => {
    shop.stack.sandbox?.configure({ filterSubmit: "refused" });
    await shop.buy();
    const { code, err } = await ops("import", "--list");
    expect([code, err]).toEqual([
      1,
      expect.stringContaining("the list of platform is incomplete, licenses may be missing: "),
    ]);
  });
});

describe("export", () => {
  const body = `{"note":"${"long ".repeat(20_000)}"}`;
  beforeEach(async () => {
    await tell(shop.stack, "payment.succeeded", paid(new Date("2026-12-23T00:00:00Z")));
    await shop.minute();
    await tell(
      shop.stack,
      "payment.succeeded",
      { ...JSON.parse(body), payment: "p", plan: "vm6-monthly" },
      { id: "odd" },
    );
    await shop.stack.settle();
  });

  test("prints JSON lines, the first with the format version", async () => {
    const { code, out, err } = await ops("export");
    expect([code, err]).toEqual([0, ""]);
    expect(out.endsWith("\n")).toBe(true);
    const [first, ...lines] = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(first).toEqual({ is: "export", version: 1, at: expect.stringMatching(/^20/), from: shop.stack.url });
    expect(lines).toHaveLength(4);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          is: "subscription",
          kind: "subscription",
          of: "standard/42",
          version: expect.any(Number),
        }),
        expect.objectContaining({ is: "operation", of: "standard/42", operation: expect.objectContaining({ n: 1 }) }),
        expect.objectContaining({ is: "event", of: "standard/42" }),
        expect.objectContaining({ is: "event", kind: "event", of: "standard/odd" }),
      ]),
    );
    const odd = lines.find(({ of }) => of === "standard/odd");
    expect(JSON.parse(odd.event.received.body).data.note).toHaveLength(100_000);
  });

  test("writes a file that only its owner can read, and never overwrites one", async () => {
    const out = join(folder, "all.jsonl");
    expect(await ops("export", "--out", out)).toMatchObject({ code: 0, out: `wrote 5 lines to ${out}\n` });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readFileSync(out, "utf8").trimEnd().split("\n")).toHaveLength(5);
    expect(await ops("export", "--out", out)).toMatchObject({
      code: 1,
      err: `--out: ${out} already exists; choose another name\n`,
    });
    const nowhere = await ops("export", "--out", join(folder, "none", "all.jsonl"));
    expect(nowhere).toMatchObject({ code: 1, err: expect.stringMatching(/^--out: .*no such file/) });
  });
});
