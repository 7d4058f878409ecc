/** `ops import` */
import { readFileSync } from "node:fs";
import { UsageError } from "../../shared/command-line/usage-error.ts";
import { PreconditionFailed } from "../../shared/errors.ts";
import type { Catalog } from "../../shared/licensing/catalog.ts";
import { describe, isPurchase } from "../../shared/licensing/operation.ts";
import { isDay, startOf, toInstant } from "../../shared/licensing/time.ts";
import { suggest } from "../../shared/problems.ts";
import { count, formatAddons, formatDecision } from "../actions/format.ts";
import { checkImport, executeMove, keep, type Line, type Move, type Moves, type Refusal } from "../actions/import.ts";
import { listUnassigned, type UnassignedLicense } from "../actions/unassigned.ts";
import type { Command, CommandResult, Invocation } from "./command.ts";
import { readCsv, writeCsv } from "./csv.ts";

export const importCommand: Command = {
  parameters: ["[licenses.csv]"],
  summary: "adopt existing licenses; without --yes, only show the result",
  options: { list: { type: "boolean" } },
  help: `  --list           print all licenses without a subscription as CSV, for you to complete
  Required columns: subscription, elid, plan. Optional: quantity, customer, email, paidThrough. Others are skipped.
  All lines are checked first. If one is refused, nothing is stored, and the exit code is 1.
  An import makes no call. The calls that follow from it are shown first, as "then …".`,
  async run(invocation) {
    const [file] = invocation.positionals;
    if ((file !== undefined) === (invocation.values.list === true))
      throw new UsageError("import needs a file, or --list to make one");
    return file === undefined ? list(invocation) : importFile(file, invocation);
  },
};

async function importFile(file: string, { values, connect, progress }: Invocation): Promise<CommandResult> {
  const { lines, unnamed } = linesIn(file);
  const deps = await connect();
  const checked = await checkImport(lines, deps, (read) => progress(`${read} of ${count(lines.length, "line")}`));
  const stored = values.yes === true && checked.refused.length === 0;
  const late: Refusal[] = [];
  for (const kept of stored ? checked.cutOff : []) await keep(kept, deps);
  for (const [i, move] of stored ? checked.moves.entries() : []) {
    progress(`${i} of ${count(checked.moves.length, "subscription")}`);
    try {
      await executeMove(move, deps);
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error;
      late.push({ line: move.lines[0]?.line ?? 0, why: error.message });
    }
  }
  const refused = [...checked.refused, ...late];
  const data = { ...checked, refused, unnamed, stored };
  return { data, text: formatResult(data, deps.catalog), failed: refused.length > 0 };
}

const columns = ["subscription", "elid", "plan", "quantity", "customer", "email", "paidThrough"] as const;
const requiredColumns = columns.slice(0, 3);

type NamedCells = Partial<Record<(typeof columns)[number], string>>;

/** `unnamed` counts lines without a subscription, which an incomplete list contains. @throws UsageError */
function linesIn(file: string): { lines: Line[]; unnamed: number } {
  const errorWith = (problems: readonly string[]) =>
    new UsageError(`licenses: ${file} has errors\n${problems.join("\n").replace(/^/gm, "  ")}`);
  const [header, ...rows] = readRows(file, errorWith);
  const names = header?.cells.map((name) => name.trim()) ?? [];
  const missing = requiredColumns.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw errorWith(missing.map((name) => `line 1: no column "${name}"${suggest(name, names, "")}`));
  }
  const problems: string[] = [];
  const lines: Line[] = [];
  let unnamed = 0;
  for (const { line, cells } of rows) {
    const named: NamedCells = Object.fromEntries(
      names.flatMap((name, i) => (cells[i]?.trim() ? [[name, cells[i].trim()]] : [])),
    );
    if (named.subscription === undefined) unnamed += Object.keys(named).length > 0 ? 1 : 0;
    else lines.push(lineOf(line, named, (problem) => problems.push(`line ${line}: ${problem}`)));
  }
  if (problems.length > 0) throw errorWith(problems);
  return { lines, unnamed };
}

function readRows(file: string, errorWith: (problems: readonly string[]) => UsageError) {
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
    throw error instanceof UsageError ? errorWith([error.message]) : error;
  }
}

function lineOf(line: number, named: NamedCells, report: (problem: string) => void): Line {
  const { subscription = "", elid = "", plan = "", quantity, customer, email, paidThrough } = named;
  if (!elid) report("elid is empty");
  if (!plan) report("plan is empty");
  if (quantity !== undefined && !/^[1-9]\d{0,5}$/.test(quantity))
    report(`quantity: found "${quantity}", expected a whole number of at least 1`);
  const time = paidThrough === undefined ? undefined : parseTime(paidThrough);
  if (paidThrough !== undefined && time === undefined)
    report(`paidThrough: found "${paidThrough}", expected a day such as 2027-01-31, or an ISO 8601 time`);
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

function parseTime(text: string): string | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return isDay(text) ? startOf(text) : undefined;
  const time = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : toInstant(time);
}

function formatResult(
  { moves, held, cutOff, refused, unnamed, stored }: Moves & { unnamed: number; stored: boolean },
  catalog: Catalog,
): string {
  const parts = moves.map((move) => formatMove(move, catalog));
  if (refused.length > 0) {
    parts.push(["refused:", ...refused.map(({ line, why }) => `  line ${line}: ${why}`)].join("\n"));
  }
  const summary = [count(moves.length, "subscription")];
  const changed = moves.filter(({ steps }) => steps.length > 0);
  summary.push(`${changed.length} with immediate changes at billmgr`);
  const bought = moves.flatMap(({ steps }) => steps).filter(({ change }) => isPurchase(change));
  if (bought.length > 0) summary.push(`including ${count(bought.length, "purchase").toUpperCase()}`);
  if (held.length > 0) summary.push(`${held.length} already imported`);
  if (cutOff.length > 0) summary.push(`${cutOff.length} of them by an interrupted import whose event is missing`);
  if (unnamed > 0) summary.push(`${count(unnamed, "line")} without a subscription skipped`);
  return [...parts, `${summary.join(", ")}\n${resultOf({ moves, cutOff, refused, stored })}`].join("\n\n");
}

function resultOf({ moves, cutOff, refused, stored }: Omit<Moves, "held"> & { stored: boolean }): string {
  if (refused.length > 0 && !stored) return "Nothing was stored.";
  if (moves.length + cutOff.length === 0) return "There is nothing to store.";
  if (!stored) return "Nothing was stored yet. Pass --yes to store this.";
  return `Stored${refused.length > 0 ? ", except the refused lines" : ""}. The subscriptions are being processed.`;
}

function formatMove({ lines, event, licenses, steps, next }: Move, catalog: Catalog): string {
  const through = event.type === "payment.succeeded" && "through" in event.covers ? event.covers.through : undefined;
  const sold = event.items?.list.map(({ names, quantity }) => `${quantity} × ${names[0]}`).join(", ");
  const customer = [event.customer?.id, event.customer?.email].filter(Boolean);
  const head = [
    lines[0]?.subscription,
    sold,
    ...customer,
    ...(through ? [`paid through ${through.slice(0, 10)}`] : []),
  ];
  const imported = licenses.map(({ plan, license: { elid, expiry, suspended, addons } }) => {
    const state = suspended ? `suspended, valid until ${expiry}` : `active until ${expiry}`;
    return `  license ${[elid, plan, state, ...formatAddons(addons, plan, catalog)].join(", ")}`;
  });
  const changes = steps.map(({ change, why }) => `  then ${describe(change)}, because ${why}`);
  return [head.join(", "), ...imported, ...changes, `  next: ${formatDecision(next)}`].join("\n");
}

async function list({ connect, progress }: Invocation): Promise<CommandResult> {
  const found = await listUnassigned(await connect(), (listed) => progress(count(listed, "license")));
  const incomplete = Object.entries(found.incomplete);
  for (const [family, why] of incomplete)
    console.error(`the list of ${family} is incomplete, licenses may be missing: ${why}`);
  const rows = found.licenses.map(rowOf);
  const more = ["pricelist", "expiry", "status", "comment"];
  return { data: found, text: writeCsv([[...columns, ...more], ...rows]).trimEnd(), failed: incomplete.length > 0 };
}

function rowOf({ elid, plan = "", quantity, pricelist, expiry, status, comment }: UnassignedLicense): string[] {
  const more = [pricelist, expiry, status, comment].map((cell = "") => escapeFormula(cell));
  return ["", elid, plan, quantity === undefined ? "" : String(quantity), "", "", "", ...more];
}

/** A spreadsheet would evaluate a cell that starts with one of these characters as a formula. */
const escapeFormula = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell);
