import { resolve } from "node:path";
import { type Catalog, parseCatalog } from "../shared/licensing/catalog.ts";
import { suggest } from "../shared/problems.ts";
import { storefrontNamed } from "../shared/storefronts/index.ts";
import { partners } from "../shared/storefronts/partners.ts";
import { Mistake, readFile } from "./mistake.ts";

/** `eventSources`: the names of partner event sources, each with its storefront. */
export type Config = {
  stack: string;
  catalogFile: string;
  catalog: Catalog;
  eventSources: Readonly<Record<string, string>>;
};

const defaults = { stack: "billmgr-webhooks", catalog: "catalog.json" };

/** Which storefront's source a setting names: `stripeEventSource`. */
const sourceSettings = Object.keys(partners)
  .filter(storefrontNamed)
  .map((storefront) => ({ storefront, setting: `${storefront}EventSource` }));

/**
 * Reads what `cdk -c name=value` gave.
 * @throws Mistake naming what was found and what was expected
 */
export function readConfig(context: Record<string, unknown>): Config {
  const known = [...Object.keys(defaults), ...sourceSettings.map(({ setting }) => setting)];
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
  const eventSources = eventSourcesIn(context);
  return { stack, catalogFile: resolve(file), catalog: readFile(file, "catalog", parseCatalog), eventSources };
}

function eventSourcesIn(context: Record<string, unknown>): Config["eventSources"] {
  const given = sourceSettings.filter(({ setting }) => context[setting] !== undefined);
  return Object.fromEntries(
    given.map(({ storefront, setting }) => {
      const source = context[setting];
      const prefix = partners[storefront]?.source ?? "";
      // AWS's own pattern for the names of partner event sources.
      if (
        typeof source === "string" &&
        source.startsWith(prefix) &&
        /^[./\w-]{1,256}$/.test(source) &&
        source !== prefix
      ) {
        return [source, storefront];
      }
      throw new Mistake(
        `-c ${setting}: found ${JSON.stringify(source)}, expected the name of a partner event source, which begins with "${prefix}"`,
      );
    }),
  );
}
