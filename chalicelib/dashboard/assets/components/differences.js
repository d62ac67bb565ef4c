// @ts-check
// The differences between two versions of a campaign or a template, line by line.
import { html } from "../vendor/preact.js";
import { differences } from "../lib/diff.js";
import { useSheet } from "../lib/sheets.js";
import { components } from "../lib/texts/en/components.js";

await useSheet(import.meta.resolve("./detail.css"));

const text = components.differences;
const MARKS = { same: " ", added: "+", removed: "−", cut: "⋯" };

/**
 * The lines that were added and removed, with the lines around them.
 * @param {{before: unknown, after: unknown}} props shown as JSON
 */
export function Differences({ before, after }) {
  const lines = differences(JSON.stringify(before, null, 2), JSON.stringify(after, null, 2));
  if (!lines.some((each) => ["added", "removed"].includes(each.kind))) return html`<p class="muted">${text.none}</p>`;
  return html`<pre class="diff" tabindex="0" aria-label=${text.label}>${lines.map((each) => html`<span class=${each.kind}>${MARKS[each.kind]} ${each.text}${"\n"}</span>`)}</pre>`;
}
