import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { shopNamed } from "../../../../local/simulators/storefronts/index.ts";
import { storefrontNames } from "../../../../shared/licensing/event.ts";
import { storefrontNamed } from "../../../../shared/storefronts/index.ts";
import type { Storefront } from "../../../../shared/storefronts/storefront.ts";
import { lives } from "../../../support/lives.ts";
import { signers } from "../../../support/signers.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const readme = readFileSync(`${root}/README.md`, "utf8");

/** The parts that a storefront needs, and where to add each. docs/adding-a-storefront.md explains the steps. */
const needs: Record<string, (name: string) => boolean> = {
  "an entry in shared/storefronts/index.ts, under the name of the storefront": (name) =>
    storefrontNamed(name)?.name === name,
  "webhooks: a life in test/support/lives.ts, or a simulator in local/simulators/storefronts": (name) =>
    Object.values(lives).some((life) => life.storefront === name) || shopNamed(name) !== undefined,
  "a signer in test/support/signers.ts": (name) => Object.hasOwn(signers, name),
  "a page docs/storefronts/<name>.md": (name) => existsSync(`${root}/docs/storefronts/${name}.md`),
  "a link to that page in README.md": (name) => readme.includes(`(docs/storefronts/${name}.md)`),
};

test.each(storefrontNames)("%s lacks nothing that a storefront needs", (name) => {
  expect(Object.keys(needs).filter((need) => !needs[need]?.(name))).toEqual([]);
});

test("a name that is not a storefront lacks everything", () => {
  expect(Object.keys(needs).filter((need) => !needs[need]?.("acme"))).toEqual(Object.keys(needs));
});

const isStorefront = (value: unknown): value is Storefront =>
  typeof value === "object" && value !== null && "verify" in value && "events" in value;

test("each storefront, page, and folder of fixtures belongs to a name in storefrontNames", async () => {
  const files = readdirSync(`${root}/shared/storefronts`).filter((file) => file !== "index.ts");
  const modules = await Promise.all(files.map((file) => import(`${root}/shared/storefronts/${file}`)));
  const parsers = modules.flatMap((module) => Object.values<unknown>(module).filter(isStorefront));
  const found = [
    ...parsers.map(({ name }) => name),
    ...readdirSync(`${root}/docs/storefronts`)
      .map((page) => basename(page, ".md"))
      .filter((page) => page !== "README"),
    ...readdirSync(`${root}/test/fixtures`),
  ];
  expect(found.filter((name) => !storefrontNames.some((known) => known === name))).toEqual([]);
});
