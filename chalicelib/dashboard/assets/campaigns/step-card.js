// @ts-check
// One step on the timeline: what it does, when, its statistics, and its problems.
import { html } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { compact, count, share } from "../lib/numbers.js";
import { elapsedWords, headline, subline, typeName } from "../lib/outline.js";
import { to } from "../lib/router.js";
import { fieldOf } from "../lib/steps.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { Icon } from "../components/icons.js";

const text = campaigns.timeline;

/**
 * @param {{step: import("../lib/steps.js").Step, path: number[], editor: import("./editor.js").Editor, counters: any,
 *   times: ReturnType<typeof import("../lib/outline.js").elapsed>}} props
 */
export function StepCard({ step, path, editor, counters, times }) {
  const field = fieldOf(path);
  const problems = editor.problemsOf(path);
  const worst = problems.some((each) => each.level === "error") ? "error" : problems.length ? "warning" : "";
  const isChosen = editor.isSelected(path);
  const when = elapsedWords(times.get(field));
  return html`<article class="step ${isChosen ? "is-chosen" : ""} ${worst}">
    <button type="button" class="step-main" data-field=${field} aria-pressed=${isChosen ? "true" : "false"}
      aria-label=${spoken(step, problems, when)} onClick=${() => editor.select(isChosen ? null : path)}>
      <span class="glyph ${step?.type === "SEND" ? "is-send" : ""}"><${Icon} name=${step?.type} /></span>
      <span class="step-words"><span class="step-name">${headline(step, names.value)}</span>
        <span class="step-sub">${subline(step, names.value)}</span></span>
      ${worst && html`<span class="mark ${worst}" title=${problems.map((each) => each.message).join("\n")}>!</span>`}
    </button>
    ${when && html`<span class="when-mark">${when}</span>`}
    <${Counts} counters=${counters} step=${step} />
  </article>`;
}

function spoken(step, problems, when) {
  const parts = [typeName(step?.type), headline(step, names.value), subline(step, names.value), when];
  if (problems.length) parts.push(text.toCheck(problems.length));
  return parts.filter(Boolean).join(", ");
}

/** The statistics of a step. The number of contacts at the step links to them. */
function Counts({ counters, step }) {
  const of = counters.value?.[step?.id];
  if (!of) return null;
  const passed = Math.max(0, of.entered - of.here);
  const isSend = step.type === "SEND";
  return html`<div class="counts">
    <span class="passed" aria-hidden="true"><i style=${{ width: `${of.entered ? (passed / of.entered) * 100 : 0}%` }}></i></span>
    <span><b>${count(isSend ? of.sent : passed)}</b> ${text.passed(isSend)}</span>
    ${isSend && of.opened > 0 && html`<span><b>${share(of.opened, of.sent)}</b> ${text.opened}</span>`}
    ${of.skipped > 0 && html`<span><b>${count(of.skipped)}</b> ${text.skipped}</span>`}
    ${of.failed > 0 && html`<span class="is-bad"><b>${count(of.failed)}</b> ${text.failed}</span>`}
    ${of.here > 0 && html`<a class="here" href=${to("flows", counters.flow.value, { node: step.id })} title=${text.hereHelp}>${text.here(compact(of.here))}</a>`}
  </div>`;
}
