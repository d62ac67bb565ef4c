// How many came to each step, are there, and left it.
import { html } from "../vendor/preact.js";
import { count, share } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { walk } from "../lib/steps.js";
import { Bar, Table } from "../components/parts.js";

const NONE = { entered: 0, here: 0, left: {} };

/** Steps in reading order; nodes that no step is known of come last, so that no number is hidden. */
export function Funnel({ flow, steps, nameOf }) {
  const { nodes, total } = flow.stats;
  const known = walk(steps).map(({ step, path }) => ({ id: step.id, depth: (path.length - 1) / 2, type: step.type }));
  const rest = Object.keys(nodes).filter((id) => !known.some((each) => each.id === id));
  const rows = [...known, ...rest.map((id) => ({ id, depth: 0 }))].map((each) => ({ ...NONE, ...each, ...nodes[each.id] }));
  return html`<${Table} numbers label="Numbers by step" rows=${rows} keyOf=${(row) => row.id} columns=${columns(flow, nameOf, total)} />`;
}

function columns(flow, nameOf, total) {
  const number = (name, word = name, kind = "") => ({
    name: word,
    class: `num ${kind}`,
    cell: (row) => (row[name] ? count(row[name]) : html`<span class="muted">–</span>`),
  });
  return [
    {
      name: "Step",
      cell: (row) => html`<span class="d${Math.min(row.depth, 6)}">${nameOf(row.id)}</span>`,
    },
    { name: html`<span class="unseen">Progress</span>`, class: "less wide-bar", cell: (row) => html`<${Bar} of=${total} parts=${[[row.entered - row.here, "passed"], [row.here, "pending"]]} label=${`${count(row.entered)} of ${count(total)} came here`} />` },
    { name: "Came", class: "num", cell: (row) => html`${count(row.entered)} <span class="muted">${share(row.entered, total)}</span>` },
    { name: "Here now", class: "num", cell: (row) => (row.here ? html`<a href=${to("flows", flow.uid, { node: row.id })}>${count(row.here)}</a>` : html`<span class="muted">–</span>`) },
    number("sent", "Sent"),
    number("opened", "Opened", "less"),
    number("clicked", "Clicked", "less"),
    number("skipped", "Skipped", "less"),
    number("failed", "Failed"),
    number("unknown", "Unknown", "less"),
  ];
}
