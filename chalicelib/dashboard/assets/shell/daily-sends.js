// @ts-check
// Messages by day. The API has no statistics by day, so the messages of a flow count for the day of its start.
import { html, useEffect, useRef } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { serverNow } from "../lib/clock.js";
import { useLoad } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { useSheet } from "../lib/sheets.js";
import { shell } from "../lib/texts/en/shell.js";
import { Card, Loaded } from "../components/parts.js";

const text = shell.overview.chart;
const DAYS = 14;
/** Flows whose statistics are read. */
const MAX_FLOWS = 20;
const DAY_MS = 86_400_000;

/** @param {{flows: Api["FlowSummaryResponse"][]}} props */
export function DailySends({ flows }) {
  const recent = flows.filter((each) => each.startedAt && serverNow() - new Date(each.startedAt).getTime() < DAYS * DAY_MS).slice(0, MAX_FLOWS);
  const days = useLoad((signal) => readDays(recent, signal), [recent.map((each) => each.uid).join()]);
  return html`<${Card} name=${text.title(DAYS)}><${Loaded} from=${days} what=${text.what}>${(sums) => {
    const total = sums.reduce((sum, each) => sum + each.sent, 0);
    return html`<p class="muted">${recent.length === MAX_FLOWS ? text.latest(total, MAX_FLOWS) : text.total(total)}</p>
      <${Chart} days=${sums} />
      <table class="unseen"><caption>${text.caption}</caption><tbody>${sums.filter((each) => each.sent).map((each) => html`<tr><th scope="row">${each.at.toLocaleDateString()}</th><td>${count(each.sent)}</td></tr>`)}</tbody></table>`;
  }}<//><//>`;
}

async function readDays(flows, signal) {
  const detailed = await Promise.all(flows.map((each) => get(`/v1/flows/${each.uid}`, {}, signal)));
  const midnight = new Date(serverNow()).setHours(0, 0, 0, 0);
  const days = Array.from({ length: DAYS }, (_, index) => ({ at: new Date(midnight - (DAYS - 1 - index) * DAY_MS), sent: 0 }));
  for (const flow of detailed) {
    const day = days.findLast((each) => each.at <= new Date(flow.startedAt)) ?? days[0];
    day.sent += flow.stats.sent;
  }
  return days;
}

/** The chart; uPlot is loaded when there is something to draw. */
function Chart({ days }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    // Preact clears the reference before it runs the cleanup of the effect. The constant keeps the element.
    const element = place.current;
    if (!element) return undefined;
    let plot;
    let isRemoved = false;
    async function draw() {
      const [{ default: Plot }] = await Promise.all([import("../vendor/uplot.js"), useSheet(import.meta.resolve("../vendor/uplot.css"))]);
      if (!isRemoved) plot = new Plot(options(Plot, element), [days.map((each) => each.at / 1000), days.map((each) => each.sent || null)], element);
    }
    draw();
    return () => {
      isRemoved = true;
      plot?.destroy();
    };
  }, [days]);
  return html`<div class="chart" ref=${place} aria-hidden="true"></div>`;
}

function options(Plot, element) {
  const colour = (name) => probe(element, name);
  const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    width: element.clientWidth,
    height: 150,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => [0, Math.max(4, high * 1.1)] } },
    axes: [{ ...axis, grid: { show: false }, values: (_, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short" })) },
      { ...axis, size: 44, values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? count(tick) : "")) }],
    series: [{}, { stroke: colour("--accent"), fill: colour("--accent"), paths: Plot.paths.bars({ size: [0.6, 28] }), points: { show: false } }],
  };
}

/** Return a colour as the browser computes it, because a canvas does not support light-dark(). */
function probe(element, name) {
  const swatch = element.appendChild(document.createElement("i"));
  swatch.style.color = `var(${name})`;
  const { color } = getComputedStyle(swatch);
  swatch.remove();
  return color;
}
