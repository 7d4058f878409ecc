import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseSecrets } from "../../../../shared/aws/secrets.ts";
import { readFile, UsageError } from "../../../../shared/command-line/usage-error.ts";
import { CatalogError, parseCatalog } from "../../../../shared/licensing/catalog.ts";
import { canary } from "../../../support/secrets.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "read-file-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The error, with `FILE` in place of the path. */
function errorOf(text: string, parse: (value: unknown) => unknown = parseCatalog): UsageError {
  const file = join(directory, "file.json");
  writeFileSync(file, text);
  try {
    readFile(file, "catalog", parse);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    error.message = error.message.replaceAll(file, "FILE");
    return error;
  }
  throw new Error("the file was accepted");
}

const catalog = `{
  "billmgr": { "url": "https://billmgr.example/manager/billmgr" },
  "products": { "vm": { "pricelist": 1 } },
  "plans": {
    "vm6": {
      "product": "vm",
      "period": 0,
      "soldAs": { "stripe": ["price_1", ""] }
    },
    "dci": { "period": 1 }
  },
  "polcy": {}
}`;

describe("a problem in a file", () => {
  test("is reported with file, line, and column", () => {
    expect(errorOf(catalog).message.split("\n")).toEqual([
      "FILE:7:7: plans.vm6.period is 0; expected 1 to 36",
      'FILE:8:41: plans.vm6.soldAs.stripe[1] is ""; expected a non-empty string',
      // The line of the plan that omits it.
      "FILE:10:5: plans.dci.product is missing; expected a string",
      'FILE:12:3: polcy is not a setting; did you mean "policy"?',
    ]);
  });

  test("keeps the error behind it as the cause", () => {
    expect(errorOf(catalog)).toMatchObject({ code: "usage", cause: expect.any(CatalogError) });
  });

  test("that concerns the whole document is at its start", () => {
    expect(errorOf("\n  []").message).toBe("FILE:2:3: the value is an array; expected an object");
  });

  test("is found after escaped quotes and repeated names", () => {
    expect(errorOf('{ "a \\" }": [{}, 1],\n "billmgr": 1,\n "billmgr": 2 }').message).toContain(
      "FILE:3:2: billmgr is 2; expected an object",
    );
  });
});

describe("a syntax error", () => {
  test.each([
    ["{", "FILE:1:2"],
    ['{ "a": 1,\n  b: 2 }', "FILE:2:3"],
    ['{ "a": [1, 2 }', "FILE:1:14"],
    ['{ "a": "no end }', "FILE:1:8"],
    ["{} {}", "FILE:1:4"],
    ["", "FILE:1:1"],
  ])("in %j is at %s", (text, place) => {
    expect(errorOf(text).message).toBe(`${place}: the catalog file is not valid JSON`);
  });

  test("does not quote the file, which may contain a secret", () => {
    const { message, cause } = errorOf(`{ "billmgr": "user:${canary}" oops }`, parseSecrets);
    expect(message).toBe(
      `FILE:1:${"{ ".length + '"billmgr": "user:'.length + canary.length + 3}: the catalog file is not valid JSON`,
    );
    expect(cause).toBeUndefined();
  });
});

test("a missing file is reported by its path", () => {
  const read = () => readFile(join(directory, "none.json"), "catalog", parseCatalog);
  expect(read).toThrow(/none\.json does not exist; expected the catalog file$/);
});

test("a fault of the program is not reported as a problem of the file", () => {
  const parse = () => {
    throw new TypeError("a fault");
  };
  expect(() => errorOf("{}", parse)).toThrow(TypeError);
});
