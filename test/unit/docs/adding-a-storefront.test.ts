import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// Runs the example of docs/adding-a-storefront.md, so that it cannot drift from the code: the tests in it register here.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = readFileSync(`${root}docs/adding-a-storefront.md`, "utf8");
const [storefront = "", tests = ""] = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);

const folder = `${root}.local/docs/`;
mkdirSync(folder, { recursive: true });
writeFileSync(`${folder}acme.ts`, storefront.replaceAll('from "./', `from "${root}shared/storefronts/`));
writeFileSync(
  `${folder}acme.test.ts`,
  tests.replace('"../../../../shared/storefronts/acme.ts"', '"./acme.ts"').replaceAll('"../../../../', `"${root}`),
);
await import(`${folder}acme.test.ts`);
