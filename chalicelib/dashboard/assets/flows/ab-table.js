// @ts-check
// A/B tests of a flow: rates with their intervals, lift, and the probability to win.
import { html } from "../vendor/preact.js";
import { count, percent } from "../lib/numbers.js";
import { common } from "../lib/texts/en/common.js";
import { flows } from "../lib/texts/en/flows.js";
import { title } from "../lib/words.js";
import { Card, Table } from "../components/parts.js";

const text = flows.comparison;
/** Sends per variant from which the API names a winner. */
const MIN_SENT = 500;

/** @param {{nodes: Record<string, any>, nameOf: (id: string) => string}} props `nodes` are the statistics of the steps */
export function Comparisons({ nodes, nameOf }) {
  const tests = Object.entries(nodes).filter(([, node]) => node.comparisons?.length);
  return tests.map(([id, node]) => html`<${Card} key=${id} name=${nameOf(id)}>
    ${node.comparisons.map((each) => html`<div class="comparison"><p class="between"><b>${title(each.measure)}</b><${Verdict} of=${each} /></p>
      <${Table} numbers label=${text.label(nameOf(id), each.measure)} rows=${each.variants} keyOf=${(row) => row.label} columns=${columns(each)} /></div>`)}
  <//>`);
}

function Verdict({ of: { verdict, variants } }) {
  if (!verdict.startsWith("not enough")) return html`<span class="pill"><i class="dot ${verdict.endsWith("wins") ? "good" : ""}"></i>${title(verdict)}</span>`;
  const needs = variants.filter((each) => each.sent < MIN_SENT).map((each) => text.needs(each.label, MIN_SENT - each.sent));
  return html`<span class="muted">${text.notEnough(needs)}</span>`;
}

/** @returns {import("../components/parts.js").Column[]} */
function columns({ variants, measure }) {
  const most = Math.max(...variants.map((each) => (each.sent ? each.interval[1] : 0)), 0.01);
  const lift = (row) => (row.lift === null || row === variants[0] ? common.none : `${row.lift > 0 ? "+" : ""}${percent(row.lift, 1)}`);
  return [
    { name: text.variant, cell: (row) => html`<b>${row.label}</b>` },
    { name: text.sent, class: "num", cell: (row) => count(row.sent) },
    { name: title(measure), class: "num", cell: (row) => count(row[measure]) },
    { name: text.rate, class: "num", cell: (row) => (row.sent ? percent(row.rate, 1) : common.none) },
    { name: text.interval, class: "less interval-cell", cell: (row) => html`<${Interval} of=${row} most=${most} />` },
    { name: text.lift, class: "num less", cell: lift },
    { name: text.wins, class: "num", cell: (row) => (row.sent >= MIN_SENT ? percent(row.winProbability, 1) : common.none) },
  ];
}

function Interval({ of: { interval, rate, sent }, most }) {
  if (!sent) return html`<span class="muted">${common.none}</span>`;
  const at = (value) => `${(value / most) * 100}%`;
  const [low, high] = interval;
  const range = text.range(percent(low, 1), percent(high, 1));
  return html`<span class="interval" role="img" aria-label=${range} title=${range}>
    <i style=${{ left: at(low), width: at(high - low) }}></i><b style=${{ left: at(rate) }}></b></span>`;
}
