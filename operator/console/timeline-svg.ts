/** Draws a timeline as SVG. Everything in it is also in the history table. */
import { html } from "hono/html";
import type { Html } from "./parts.ts";
import type { Lane, Mark, Span, Timeline } from "./timeline.ts";

const [width, left, right] = [1160, 128, 16];
const laneHeight = 30;
const barHeight = 14;
/** Earlier licenses are only in the history table. */
const maxLanes = 8;
const markRows = 3;

type Scale = (instant: string) => number;

export function drawTimeline(timeline: Timeline): Html {
  const lanes = timeline.licenses.slice(-maxLanes);
  const scale = scaleOf(timeline);
  const marks = placeMarks(timeline.operations, scale);
  const rows = 2 + lanes.length;
  const axis = 22 + rows * laneHeight + markRows * 12;
  const y = (row: number) => 16 + row * laneHeight;
  const today = scale(timeline.now);
  return html`<svg class="timeline" viewBox="0 0 ${width} ${axis + 24}" role="group" aria-labelledby="timeline-title" aria-describedby="timeline-desc">
<title id="timeline-title">Timeline of this subscription</title>
<desc id="timeline-desc">${describeTimeline(timeline)}</desc>
<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="hatch-ground" width="6" height="6"/><line class="hatch-line" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>
${ticksOf(timeline).map(
  ({ at, label }) =>
    html`<line class="grid" x1="${scale(at)}" x2="${scale(at)}" y1="8" y2="${axis}"/><text class="tick" x="${scale(at)}" y="${axis + 16}">${label}</text>`,
)}
<text class="lane" x="0" y="${y(0) + 11}">paid</text>
${timeline.payments.map((payment) => drawBar(payment, scale, y(0), `payment ${payment.kind}`))}
${lanes.map((lane, i) => drawLane(lane, scale, y(1 + i)))}
<text class="lane" x="0" y="${y(rows - 1) + 11}">operations</text>
${timeline.unknowns.map((span) => drawBar(span, scale, y(rows - 1) - 2, "unknown", markRows * 12 + 6, 14))}
${marks.map(({ mark, x, row }) => drawMark(mark, x, y(rows - 1) + 5 + row * 12))}
<line class="today" x1="${today}" x2="${today}" y1="4" y2="${axis}"/><text class="today-label" x="${Math.min(today + 4, width - 34)}" y="10">now</text>
</svg>`;
}

const describeTimeline = ({ payments, licenses, operations, unknowns }: Timeline): string =>
  [
    ...payments.map(({ label }) => label),
    ...licenses.flatMap(({ elid, valid, suspended }) =>
      [...valid, ...suspended].map(({ label }) => `license ${elid ?? "number unknown"}, ${label}`),
    ),
    ...operations.map(({ label }) => label),
    ...unknowns.map(({ label }) => label),
  ].join("; ");

function scaleOf({ from, to }: Timeline): Scale {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const room = width - left - right;
  return (instant) => Math.round((left + (room * (Date.parse(instant) - start)) / (end - start)) * 10) / 10;
}

const drawBar = (span: Span, scale: Scale, y: number, kind: string, height = barHeight, minWidth = 2): Html => {
  const length = scale(span.to) - scale(span.from) - 1;
  const x = scale(span.from) - Math.max(minWidth - 2 - length, 0) / 2;
  return html`<rect class="${kind}" x="${x}" y="${y}" width="${Math.max(length, minWidth)}" height="${height}" rx="2"><title>${span.label}</title></rect>`;
};

const drawLane = ({ elid, valid, suspended }: Lane, scale: Scale, y: number): Html =>
  html`<text class="lane" x="0" y="${y + 11}">${elid === undefined ? "license" : `license ${elid}`}</text>${valid.map((span) => drawBar(span, scale, y, "valid"))}${suspended.map((span) => drawBar(span, scale, y + 4, "suspended", barHeight - 8))}`;

/** Puts marks that would overlap into separate rows, as far as there is room. */
function placeMarks(marks: readonly Mark[], scale: Scale): { mark: Mark; x: number; row: number }[] {
  const ends: number[] = [];
  return marks.map((mark) => {
    const x = scale(mark.at);
    const free = Array.from({ length: markRows }, (_, row) => row).find((row) => (ends[row] ?? -100) + 12 <= x);
    const row = free ?? markRows - 1;
    ends[row] = x;
    return { mark, x, row };
  });
}

const shapes: Record<string, string> = {
  order: "M0-5.5 5.5 0 0 5.5-5.5 0Z",
  prolong: "M-4-5 5 0-4 5Z",
  suspend: "M-4-4.5h3v9h-3ZM1-4.5h3v9h-3Z",
  delete: "M-4.5-3-3-4.5 0-1.5 3-4.5 4.5-3 1.5 0 4.5 3 3 4.5 0 1.5-3 4.5-4.5 3-1.5 0Z",
};
const round = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0Z";

const drawMark = (mark: Mark, x: number, y: number): Html =>
  html`<a href="#operation-${mark.n}" aria-label="${mark.label}"><path class="mark ${mark.outcome}" transform="translate(${x} ${y})" d="${shapes[mark.kind] ?? round}"><title>${mark.label}</title></path></a>`;

/** About ten ticks at most, each at the start of an hour, day, month, or year. */
function ticksOf({ from, to }: Timeline): { at: string; label: string }[] {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  if (days > 24) return monthTicks(from, to, [1, 2, 3, 6, 12, 24].find((step) => days / 30 / step <= 12) ?? 60);
  const hours = [3, 6, 12, 24, 48].find((step) => (days * 24) / step <= 12) ?? 48;
  const ticks: { at: string; label: string }[] = [];
  const first = Math.ceil(Date.parse(from) / (hours * 3_600_000)) * hours * 3_600_000;
  for (let at = first; at <= Date.parse(to); at += hours * 3_600_000) {
    const text = new Date(at).toISOString();
    ticks.push({ at: text, label: hours < 24 ? text.slice(5, 16).replace("T", " ") : text.slice(5, 10) });
  }
  return ticks;
}

function monthTicks(from: string, to: string, step: number): { at: string; label: string }[] {
  const ticks: { at: string; label: string }[] = [];
  const start = new Date(from);
  for (let month = start.getUTCMonth() + 1; ; month++) {
    const at = new Date(Date.UTC(start.getUTCFullYear(), month, 1));
    if (at.toISOString() > to) return ticks;
    if (
      at.getUTCMonth() % step === 0 ||
      (step > 12 && at.getUTCMonth() === 0 && at.getUTCFullYear() % (step / 12) === 0)
    )
      ticks.push({ at: at.toISOString(), label: at.toISOString().slice(0, 7) });
  }
}
