/** The plots of the home page, each with its data as a table. */
import { html } from "hono/html";
import { type Figures, waitSteps } from "./figures.ts";
import { formatDuration, type Html } from "./parts.ts";

/** A bar. `values` are its parts from the bottom up. */
type Column = { name: string; values: number[] };
/** `labelEvery`: labels only every n-th column, for columns that are days. */
type Plot = { id: string; title: string; names: string[]; columns: Column[]; labelEvery?: number };

export const plots = (figures: Figures): Html =>
  html`<div class="plots">${plotsOf(figures).map(
    (plot) =>
      html`<figure>${draw(plot)}<details><summary>Show as a table<span class="hidden">: ${plot.title}</span></summary>${tableOf(plot)}</details></figure>`,
  )}</div>`;

function plotsOf({ past, due }: Figures): Plot[] {
  const totals: Record<string, number> = {};
  for (const { outcomes } of past)
    for (const [name, count] of Object.entries(outcomes)) totals[name] = (totals[name] ?? 0) + count;
  const outcomes = Object.entries(totals).sort(([, a], [, b]) => b - a);
  return [
    {
      id: "bought",
      title: "Bought in 30 days",
      names: ["orders", "prolongs"],
      columns: past.map(({ day, kinds }) => ({ name: day, values: [kinds.order ?? 0, kinds.prolong ?? 0] })),
      labelEvery: 10,
    },
    {
      id: "outcomes",
      title: "Outcomes in 30 days",
      names: ["operations"],
      columns: outcomes.map(([name, count]) => ({ name: name.replaceAll("_", " "), values: [count] })),
    },
    {
      id: "waits",
      title: "Payment to license, within",
      names: ["licenses"],
      columns: waitSteps.map((limit, i) => ({
        name: Number.isFinite(limit) ? formatLimit(limit) : "more",
        values: [past.reduce((sum, { waits }) => sum + (waits[i] ?? 0), 0)],
      })),
    },
    {
      id: "due",
      title: "Due in 30 days",
      names: ["subscriptions"],
      columns: due.map(({ day, count }) => ({ name: day, values: [count] })),
      labelEvery: 10,
    },
  ];
}

/** A duration switches to a larger unit at two of it; a limit reads better as "1 h" than as "60 min". */
const formatLimit = (seconds: number): string =>
  ({ 60: "1 min", 3600: "1 h", 86400: "1 d" })[seconds] ?? formatDuration(seconds);

const [width, height, top, bottom] = [280, 130, 14, 18];

function draw({ id, title, names, columns, labelEvery = 1 }: Plot): Html {
  const highest = Math.max(1, ...columns.map(({ values }) => sum(values)));
  const step = width / Math.max(columns.length, 1);
  const barWidth = Math.min(step - (step > 20 ? 8 : 2), 44);
  const unit = (height - top - bottom) / highest;
  const total = sum(columns.flatMap(({ values }) => values));
  return html`<figcaption><span>${title}</span>${names.length > 1 ? names.map((name, part) => html`<span class="swatch part${part}">${name}</span>`) : ""} <b>${total}</b></figcaption>
<svg class="plot" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">${
    total === 0
      ? "nothing yet"
      : columns
          .filter(({ values }) => sum(values) > 0)
          .map((column) => `${column.name}: ${formatColumn(column, names)}`)
          .join("; ")
  }</desc>
<line class="base" x1="0" x2="${width}" y1="${height - bottom + 0.5}" y2="${height - bottom + 0.5}"/>
${columns.map(({ name, values }, i) => {
  const x = i * step + (step - barWidth) / 2;
  let y = height - bottom;
  const parts = values.map((value, part) => {
    const tall = value === 0 ? 0 : Math.max(value * unit, 1.5);
    y -= tall;
    return html`<rect class="part${part}" x="${round(x)}" y="${round(y)}" width="${round(barWidth)}" height="${round(tall)}"><title>${name}: ${value} ${names[part]}</title></rect>`;
  });
  const label = labelEvery === 1 ? name : i % labelEvery === 0 || i === columns.length - 1 ? name.slice(5) : "";
  const anchor = labelEvery === 1 ? "middle" : i === 0 ? "start" : i === columns.length - 1 ? "end" : "middle";
  return html`${parts}${label && html`<text class="tick" text-anchor="${anchor}" x="${round(anchor === "start" ? 0 : anchor === "end" ? width : x + barWidth / 2)}" y="${height - 4}">${label}</text>`}${
    labelEvery === 1 && sum(values) > 0
      ? html`<text class="value" text-anchor="middle" x="${round(x + barWidth / 2)}" y="${round(y - 3)}">${sum(values)}</text>`
      : ""
  }`;
})}
${labelEvery === 1 ? "" : html`<text class="value" text-anchor="end" x="${width}" y="9">max ${total === 0 ? 0 : highest}</text>`}
</svg>`;
}

const tableOf = ({ names, columns }: Plot): Html =>
  html`<table><thead><tr><td></td>${names.map((name) => html`<th class="number">${name}</th>`)}</tr></thead>
<tbody>${columns.map(({ name, values }) => html`<tr><th scope="row">${name}</th>${values.map((value) => html`<td class="number">${value}</td>`)}</tr>`)}</tbody></table>`;

const formatColumn = ({ values }: Column, names: string[]): string =>
  values.map((value, part) => `${value} ${names[part]}`).join(", ");

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const round = (value: number): number => Math.round(value * 10) / 10;
