// The differences between two versions of a campaign or a template, line by line.
import { html } from "../vendor/preact.js";
import { differences } from "../lib/diff.js";
import { useSheet } from "../lib/sheets.js";

await useSheet(import.meta.resolve("./detail.css"));

/** Lines that came and went, with some around them. */
export function Differences({ before, after }) {
  const lines = differences(JSON.stringify(before, null, 2), JSON.stringify(after, null, 2));
  if (!lines.some((each) => ["added", "removed"].includes(each.kind))) return html`<p class="muted">No differences.</p>`;
  return html`<pre class="diff" tabindex="0" aria-label="Differences">${lines.map((each) => html`<span class=${each.kind}>${MARKS[each.kind]} ${each.text}${"\n"}</span>`)}</pre>`;
}

const MARKS = { same: " ", added: "+", removed: "−", cut: "⋯" };
