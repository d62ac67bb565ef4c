// @ts-check
// The statistics of each step: how many contacts reached it, are there, and left it.
import { html } from "../vendor/preact.js";
import { count, share } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { allSteps } from "../lib/steps.js";
import { common } from "../lib/texts/en/common.js";
import { flows } from "../lib/texts/en/flows.js";
import { Bar, Table } from "../components/parts.js";

const text = flows.funnel;
const ZERO = { entered: 0, here: 0, left: {} };

/**
 * A table of the steps in reading order. Nodes without a known step come last, so that no statistics are hidden.
 * @param {{flow: Api["FlowResponse"], steps: import("../lib/steps.js").Step[], nameOf: (id: string) => string}} props
 */
export function Funnel({ flow, steps, nameOf }) {
  const { nodes, total } = flow.stats;
  const known = allSteps(steps).map(({ step, path }) => ({ id: step.id, depth: (path.length - 1) / 2 }));
  const others = Object.keys(nodes).filter((id) => !known.some((each) => each.id === id));
  const rows = [...known, ...others.map((id) => ({ id, depth: 0 }))].map((each) => ({ ...ZERO, ...each, ...nodes[each.id] }));
  return html`<${Table} numbers label=${text.label} rows=${rows} keyOf=${(row) => row.id} columns=${columns(flow, nameOf, total)} />`;
}

const none = () => html`<span class="muted">${common.none}</span>`;

/** @returns {import("../components/parts.js").Column[]} */
function columns(flow, nameOf, total) {
  const number = (name, kind = "") => ({ name: text[name], class: `num ${kind}`, cell: (row) => (row[name] ? count(row[name]) : none()) });
  const bar = (row) => html`<${Bar} of=${total} parts=${[[row.entered - row.here, "passed"], [row.here, "pending"]]} label=${text.reached(row.entered, total)} />`;
  return [
    { name: text.step, cell: (row) => html`<span class="d${Math.min(row.depth, 6)}">${nameOf(row.id)}</span>` },
    { name: html`<span class="unseen">${text.progress}</span>`, class: "less wide-bar", cell: bar },
    { name: text.entered, class: "num", cell: (row) => html`${count(row.entered)} <span class="muted">${share(row.entered, total)}</span>` },
    { name: text.here, class: "num", cell: (row) => (row.here ? html`<a href=${to("flows", flow.uid, { node: row.id })}>${count(row.here)}</a>` : none()) },
    number("sent"),
    number("opened", "less"),
    number("clicked", "less"),
    number("skipped", "less"),
    number("failed"),
    number("unknown", "less"),
  ];
}
