import { run } from "./run.ts";

const from = Number(process.argv[2] ?? 1),
  n = Number(process.argv[3] ?? 1);
const t = performance.now();
let steps = 0;
for (let seed = from; seed < from + n; seed++) {
  const report = await run(seed, process.argv[4] ? { trace: console.log } : {});
  steps += report.steps;
  if (report.violations.length) console.log(seed, report.profile.name, report.violations.slice(0, 3));
  if (report.attention.length) console.log(seed, report.profile.name, "attention", report.attention);
}
console.log((performance.now() - t) / n, "ms/seed", steps / n);
