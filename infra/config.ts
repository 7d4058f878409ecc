import { resolve } from "node:path";
import { type Catalog, parseCatalog } from "../shared/licensing/catalog.ts";
import { suggest } from "../shared/problems.ts";
import { Mistake, readFile } from "./mistake.ts";

export type Config = { stack: string; catalogFile: string; catalog: Catalog };

const defaults = { stack: "billmgr-webhooks", catalog: "catalog.json" };

/**
 * Reads what `cdk -c name=value` gave.
 * @throws Mistake naming what was found and what was expected
 */
export function readConfig(context: Record<string, unknown>): Config {
  const known = Object.keys(defaults);
  // What the CDK itself passes has a colon, a slash or a dash in its name. A mistyped name must not deploy the defaults.
  const unknown = Object.keys(context).filter((name) => /^\w+$/.test(name) && !known.includes(name));
  if (unknown.length > 0) {
    throw new Mistake(unknown.map((name) => `-c ${name}: no such setting${suggest(name, known)}`).join("\n"));
  }
  const { stack, catalog: file } = { ...defaults, ...context };
  if (typeof stack !== "string" || !/^[A-Za-z][A-Za-z0-9-]{0,127}$/.test(stack)) {
    throw new Mistake(
      `-c stack: found ${JSON.stringify(stack)}, expected a letter, then letters, digits and dashes, 128 at most`,
    );
  }
  if (typeof file !== "string" || file === "") {
    throw new Mistake(`-c catalog: found ${JSON.stringify(file)}, expected the path of a JSON file`);
  }
  return { stack, catalogFile: resolve(file), catalog: readFile(file, "catalog", parseCatalog) };
}
