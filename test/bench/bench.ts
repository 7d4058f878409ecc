import { bundles } from "./bundles.ts";
import { burst } from "./burst.ts";
import { capacity } from "./capacity.ts";
import { cost } from "./cost.ts";
import { machine } from "./figures.ts";
import { flow } from "./flow.ts";
import { scale } from "./scale.ts";
import { verify } from "./verify.ts";

const parts: Record<string, () => Promise<void>> = { verify, bundles, flow, capacity, cost, scale, burst };

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(", ")}\nusage: npm run bench [-- ${Object.keys(parts).join(" | ")}]`);
  process.exit(1);
}

console.log(`${machine()}\nmedian (quartiles) of several rounds; nothing here passes or fails`);
for (const name of wanted.length > 0 ? wanted : Object.keys(parts)) {
  const started = performance.now();
  await parts[name]?.();
  console.log(`\n  ${name} took ${Math.round((performance.now() - started) / 1000)} s`);
}
