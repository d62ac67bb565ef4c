// A/B tests: rates with their intervals, lift, and what may be said by now.
import { html } from "../vendor/preact.js";
import { count, percent } from "../lib/numbers.js";
import { title } from "../lib/words.js";
import { Card, Table } from "../components/parts.js";

/** The API's threshold; below it there is nothing to say. */
const ENOUGH = 500;

export function Comparisons({ nodes, nameOf }) {
  const tests = Object.entries(nodes).filter(([, node]) => node.comparisons?.length);
  return tests.map(([id, node]) => html`<${Card} key=${id} name=${nameOf(id)}>
    ${node.comparisons.map((each) => html`<div class="comparison"><p class="between"><b>${title(each.measure)}</b>${verdict(each)}</p>
      <${Table} numbers label="${nameOf(id)}: ${each.measure}" rows=${each.variants} keyOf=${(row) => row.label} columns=${columns(each)} /></div>`)}
  <//>`);
}

function verdict({ verdict: words, variants }) {
  if (!words.startsWith("not enough")) return html`<span class="pill"><i class="dot ${words.endsWith("wins") ? "good" : ""}"></i>${title(words)}</span>`;
  const short = variants.filter((each) => each.sent < ENOUGH).map((each) => `${each.label} needs ${count(ENOUGH - each.sent)} more`);
  return html`<span class="muted">Not enough data: ${short.join(", ")}</span>`;
}

function columns({ variants, measure }) {
  const most = Math.max(...variants.map((each) => (each.sent ? each.interval[1] : 0)), 0.01);
  return [
    { name: "Variant", cell: (row) => html`<b>${row.label}</b>` },
    { name: "Sent", class: "num", cell: (row) => count(row.sent) },
    { name: title(measure), class: "num", cell: (row) => count(row[measure]) },
    { name: "Rate", class: "num", cell: (row) => (row.sent ? percent(row.rate, 1) : "–") },
    { name: "95 % interval", class: "less interval-cell", cell: (row) => html`<${Interval} of=${row} most=${most} />` },
    { name: "Lift", class: "num less", cell: (row) => (row.lift === null || row === variants[0] ? "–" : `${row.lift > 0 ? "+" : ""}${percent(row.lift, 1)}`) },
    { name: "Wins", class: "num", cell: (row) => (row.sent >= ENOUGH ? percent(row.winProbability, 1) : "–") },
  ];
}

function Interval({ of: { interval, rate, sent }, most }) {
  if (!sent) return html`<span class="muted">–</span>`;
  const at = (value) => `${(value / most) * 100}%`;
  const [low, high] = interval;
  return html`<span class="interval" role="img" aria-label="${percent(low, 1)} to ${percent(high, 1)}" title="${percent(low, 1)} – ${percent(high, 1)}">
    <i style=${{ left: at(low), width: at(high - low) }}></i><b style=${{ left: at(rate) }}></b></span>`;
}
