import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sources = globSync("{functions,shared,operator,local,infra,docs}/**/*.{ts,js}", { cwd: root });

type Import = { from: string; to: string; typeOnly: boolean };

const imports: Import[] = sources.flatMap((from) =>
  [...readFileSync(join(root, from), "utf8").matchAll(/^(?:import|export)\b([^;"]*?)(?:from )?"(\.[^"]+)"/gms)].map(
    ([, what = "", path = ""]) => ({
      from,
      to: normalize(join(dirname(from), path)),
      typeOnly: what.trimStart().startsWith("type ") || onlyTypes(what),
    }),
  ),
);

/** `import { type A, type B }` loads nothing at run time, so its place in the order of loading does not matter. */
function onlyTypes(what: string): boolean {
  const names =
    /\{([^}]*)\}/
      .exec(what)?.[1]
      ?.split(",")
      .filter((name) => name.trim() !== "") ?? [];
  return names.length > 0 && names.every((name) => name.trim().startsWith("type "));
}

/** The other folders that each folder may import. `docs` contains the generator of the JSON schemas. */
const allowed: Record<string, readonly string[]> = {
  "shared/licensing": ["shared"],
  "shared/storefronts": ["shared", "shared/licensing"],
  "shared/observability": [],
  "shared/intake": ["shared", "shared/licensing", "shared/storefronts", "shared/observability"],
  "shared/billmgr": ["shared", "shared/licensing"],
  "shared/aws": ["shared", "shared/licensing", "shared/intake", "shared/billmgr", "shared/observability"],
  "shared/http": [],
  "shared/command-line": ["shared", "shared/licensing"],
  shared: [],
  functions: ["shared"],
  operator: ["shared"],
  "local/simulators": ["shared"],
  local: ["shared", "functions", "operator", "local/simulators"],
  infra: ["shared"],
  docs: ["shared"],
};

/** The longest key of `allowed` that the file is under. */
const areaOf = (file: string): string =>
  Object.keys(allowed)
    .filter((area) => file.startsWith(`${area}/`))
    .sort((a, b) => b.length - a.length)[0] ?? "";

/** For importers below `shared`, the area `shared` contains only its direct files. All other areas contain their subfolders. */
const isUnder = (file: string, area: string, from: string): boolean =>
  area === "shared" && from.startsWith("shared/") ? dirname(file) === "shared" : file.startsWith(`${area}/`);

describe("the import graph", () => {
  test("is read", () => {
    expect(imports.length).toBeGreaterThan(500);
    for (const { to } of imports) expect(sources, to).toContain(to);
  });

  test("goes in the allowed directions only", () => {
    const refused = imports.filter(({ from, to }) => {
      const area = areaOf(from);
      if (areaOf(to) === area) return false;
      return !(allowed[area] ?? []).some((other) => isUnder(to, other, from));
    });
    expect(refused.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("leads from no Lambda into another", () => {
    const lambda = (file: string) => /^functions\/([^/]+)\//.exec(file)?.[1];
    const crossing = imports.filter(({ from, to }) => lambda(from) && lambda(to) && lambda(from) !== lambda(to));
    expect(crossing).toEqual([]);
  });

  test("has no cycle of folders", () => {
    const edges = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      const [a, b] = [dirname(from), dirname(to)];
      if (a !== b) edges.set(a, (edges.get(a) ?? new Set()).add(b));
    }
    expect(cycleIn(edges)).toBeUndefined();
  });

  test("has no cycle of files, except of types", () => {
    const edges = new Map<string, Set<string>>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly) edges.set(from, (edges.get(from) ?? new Set()).add(to));
    }
    expect(cycleIn(edges)).toBeUndefined();
  });
});

/** A cycle, as the nodes along it; undefined if there is none. */
function cycleIn(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}
