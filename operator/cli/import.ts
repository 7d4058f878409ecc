import { readFileSync } from "node:fs";
import { UsageError } from "../../shared/command-line/usage-error.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import { describe, isPurchase } from "../../shared/licensing/operation.ts";
import { isDay, startOf, toInstant } from "../../shared/licensing/time.ts";
import { suggest } from "../../shared/problems.ts";
import { count, sayDecision } from "../actions/format.ts";
import { carryOut, checkImport, keep, type Line, type Move, type Moves, type Refusal } from "../actions/import.ts";
import { type Unheld, unassigned } from "../actions/unassigned.ts";
import type { Command, Given, Outcome } from "./command.ts";
import { readCsv, writeCsv } from "./csv.ts";

export const importCommand: Command = {
  takes: ["[licenses.csv]"],
  about: "adopt the licenses of a running shop; without --yes it says what would be stored and done",
  options: { list: { type: "boolean" } },
  help: `  --list           prints the licenses that no subscription holds, to be completed: CSV
  The columns: subscription, elid, plan; and as you like quantity, customer, email, paidThrough. Others are passed over.
  All lines are checked first. If one is refused nothing is stored, and the exit code is 1. Nothing is bought by it.`,
  async run(given) {
    const [file] = given.words;
    if ((file !== undefined) === (given.values.list === true))
      throw new UsageError("import takes a file, or --list to make one");
    return file === undefined ? list(given) : importFile(file, given);
  },
};

async function importFile(file: string, given: Given): Promise<Outcome> {
  const { lines, unnamed } = linesIn(file);
  const deps = await given.connect();
  const checked = await checkImport(lines, deps, (read) => given.progress(`${read} of ${count(lines.length, "line")}`));
  const stored = given.values.yes === true && checked.refused.length === 0;
  const late: Refusal[] = [];
  for (const kept of stored ? checked.cutOff : []) await keep(kept, deps);
  for (const [i, move] of stored ? checked.moves.entries() : []) {
    given.progress(`${i} of ${count(checked.moves.length, "subscription")}`);
    try {
      await carryOut(move, deps);
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
      late.push({ line: move.lines[0]?.line ?? 0, why: error.message });
    }
  }
  const refused = [...checked.refused, ...late];
  const data = { ...checked, refused, unnamed, stored };
  return { data, text: textOf(data), failed: refused.length > 0 };
}

const columns = ["subscription", "elid", "plan", "quantity", "customer", "email", "paidThrough"] as const;
const needed = columns.slice(0, 3);

type Named = Partial<Record<(typeof columns)[number], string>>;

/** `unnamed`: lines that name no subscription, as a list that is not completed has them. @throws Mistake */
function linesIn(file: string): { lines: Line[]; unnamed: number } {
  const mistakes = (problems: readonly string[]) =>
    new UsageError(`licenses: ${file} has mistakes\n${problems.join("\n").replace(/^/gm, "  ")}`);
  const [header, ...rows] = readRows(file, mistakes);
  const names = header?.cells.map((name) => name.trim()) ?? [];
  const missing = needed.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw mistakes(missing.map((name) => `line 1: no column "${name}"${suggest(name, names, "")}`));
  }
  const problems: string[] = [];
  const lines: Line[] = [];
  let unnamed = 0;
  for (const { line, cells } of rows) {
    const named: Named = Object.fromEntries(
      names.flatMap((name, i) => (cells[i]?.trim() ? [[name, cells[i].trim()]] : [])),
    );
    if (named.subscription === undefined) unnamed += Object.keys(named).length > 0 ? 1 : 0;
    else lines.push(lineOf(line, named, (problem) => problems.push(`line ${line}: ${problem}`)));
  }
  if (problems.length > 0) throw mistakes(problems);
  return { lines, unnamed };
}

function readRows(file: string, mistakes: (problems: readonly string[]) => UsageError) {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new UsageError(`licenses: ${file} ${missing ? "does not exist" : "cannot be read"}`);
  }
  try {
    return readCsv(text);
  } catch (error) {
    throw error instanceof UsageError ? mistakes([error.message]) : error;
  }
}

function lineOf(line: number, named: Named, mistaken: (problem: string) => void): Line {
  const { subscription = "", elid = "", plan = "", quantity, customer, email, paidThrough } = named;
  if (!elid) mistaken("no elid");
  if (!plan) mistaken("no plan");
  if (quantity !== undefined && !/^[1-9]\d{0,5}$/.test(quantity))
    mistaken(`quantity: found "${quantity}", expected a whole number from 1 on`);
  const time = paidThrough === undefined ? undefined : timeIn(paidThrough);
  if (paidThrough !== undefined && time === undefined)
    mistaken(`paidThrough: found "${paidThrough}", expected a day such as 2027-01-31, or an ISO 8601 time`);
  return {
    line,
    subscription,
    elid,
    plan,
    ...(quantity !== undefined && { quantity: Number(quantity) }),
    ...(customer !== undefined && { customer }),
    ...(email !== undefined && { email }),
    ...(time !== undefined && { paidThrough: time }),
  };
}

function timeIn(text: string): string | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return isDay(text) ? startOf(text) : undefined;
  const time = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : toInstant(time);
}

function textOf({
  moves,
  held,
  cutOff,
  refused,
  unnamed,
  stored,
}: Moves & { unnamed: number; stored: boolean }): string {
  const parts = moves.map(textOfMove);
  if (refused.length > 0) {
    parts.push(["refused:", ...refused.map(({ line, why }) => `  line ${line}: ${why}`)].join("\n"));
  }
  const response = [count(moves.length, "subscription")];
  const changed = moves.filter(({ steps }) => steps.length > 0);
  response.push(`${changed.length} with changes at billmgr at once`);
  const bought = moves.flatMap(({ steps }) => steps).filter(({ change }) => isPurchase(change));
  if (bought.length > 0) response.push(`${count(bought.length, "purchase")} AMONG THEM`);
  if (held.length > 0) response.push(`${held.length} hold their licenses already`);
  if (cutOff.length > 0) response.push(`${cutOff.length} of them without the event of the import, which was cut off`);
  if (unnamed > 0) response.push(`${count(unnamed, "line")} without a subscription passed over`);
  const end = stored
    ? "stored and woken"
    : refused.length > 0
      ? "nothing is stored"
      : "nothing is stored yet: say --yes";
  return [...parts, `${response.join(", ")}\n${end}`].join("\n\n");
}

function textOfMove({ lines, event, licenses, steps, next }: Move): string {
  const through = event.type === "payment.succeeded" && "through" in event.covers ? event.covers.through : undefined;
  const sold = event.items?.list.map(({ names, quantity }) => `${quantity} × ${names[0]}`).join(", ");
  const who = [event.customer?.id, event.customer?.email].filter(Boolean);
  const head = [lines[0]?.subscription, sold, ...who, ...(through ? [`paid through ${through.slice(0, 10)}`] : [])];
  const held = licenses.map(({ plan, license: { elid, expiry, suspended, addons } }) => {
    const shown = Object.entries(addons).map(([code, value]) => `addon ${code} = ${value}`);
    return `  license ${[elid, plan, suspended ? "suspended" : "running", `until ${expiry}`, ...shown].join(", ")}`;
  });
  const would = steps.map(({ change, why }) => `  would then ${describe(change)}, because ${why}`);
  return [head.join(", "), ...held, ...would, `  next: ${sayDecision(next)}`].join("\n");
}

async function list({ connect, progress }: Given): Promise<Outcome> {
  const found = await unassigned(await connect(), (read) => progress(count(read, "license")));
  const incomplete = Object.entries(found.incomplete);
  for (const [family, why] of incomplete) console.error(`licenses of ${family} may be missing: ${why}`);
  const rows = found.licenses.map(rowOf);
  const more = ["pricelist", "expiry", "status", "comment"];
  return { data: found, text: writeCsv([[...columns, ...more], ...rows]).trimEnd(), failed: incomplete.length > 0 };
}

function rowOf({ elid, plan = "", quantity, pricelist, expiry, status, comment }: Unheld): string[] {
  const more = [pricelist, expiry, status, comment].map((cell = "") => asText(cell));
  return ["", elid, plan, quantity === undefined ? "" : String(quantity), "", "", "", ...more];
}

/** A spreadsheet would reckon what begins so. */
const asText = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
