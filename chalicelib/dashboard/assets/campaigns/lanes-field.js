// @ts-check
// The lanes of a split in the panel: labels, weights and conditions; add, remove and move.
import { html } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { headline } from "../lib/outline.js";
import { resolve } from "../lib/schema.js";
import { stepsBefore } from "../lib/steps.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { Icon } from "../components/icons.js";
import { Button, Text } from "../components/parts.js";
import { When } from "../components/when.js";

const text = campaigns.lanes;

/** @typedef {import("../lib/steps.js").Lane} Lane */

/**
 * @param {{schema: any, root: any, value: Lane[] | undefined, onChange: (next: Lane[]) => void, problemAt: (path: string) => string,
 *   editor: import("./editor.js").Editor, stepPath: number[]}} props
 */
export function LanesField({ schema, root, value, onChange, problemAt, editor, stepPath }) {
  const lanes = value ?? [];
  const lane = resolve(schema.items, root);
  const hasWeights = Boolean(lane.properties.weight);
  const set = (index, changes) => onChange(lanes.with(index, { ...lanes[index], ...changes }));
  const messages = stepsBefore(editor.draft.parts.value.steps, stepPath)
    .filter((each) => each.step.type === "SEND")
    .map((each) => [each.step.id, headline(each.step, names.value)]);
  const own = problemAt("lanes");
  return html`<fieldset class="form"><legend>${text.title}</legend>
    ${own && html`<p class="problem">${own}</p>`}
    ${lanes.map((each, index) => html`<div class="inset form" key=${index}>
      <div class="between"><h3>${each.label || text.lane(index + 1)}</h3><span class="row">
        <${IconAction} label=${text.left(index + 1)} glyph="‹" disabled=${index === 0} act=${() => onChange(swap(lanes, index, index - 1))} />
        <${IconAction} label=${text.right(index + 1)} glyph="›" disabled=${index === lanes.length - 1} act=${() => onChange(swap(lanes, index, index + 1))} />
        <${IconAction} label=${text.remove(index + 1)} glyph=${html`<${Icon} name="close" />`} disabled=${lanes.length <= (schema.minItems ?? 1)}
          act=${() => onChange(rebalance(lanes.toSpliced(index, 1), hasWeights))} /></span></div>
      <${Text} name=${text.label} value=${each.label} maxlength=${50} problem=${problemAt(`lanes[${index}].label`)} onInput=${(label) => set(index, { label })} />
      ${hasWeights && html`<${Text} name=${text.weight} type="number" min="0" max="100" value=${each.weight} problem=${problemAt(`lanes[${index}].weight`)}
        onInput=${(weight) => set(index, { weight: weight === "" ? undefined : Number(weight) })} />`}
      ${!hasWeights && html`<${LaneWhen} lane=${each} isLast=${index === lanes.length - 1} messages=${messages} problem=${problemAt(`lanes[${index}].when`)}
        set=${(when) => set(index, { when })} />`}
    </div>`)}
    <${Button} disabled=${lanes.length >= (schema.maxItems ?? 99)} onClick=${() => onChange(rebalance(withAnother(lanes, hasWeights, messages), hasWeights))}>${text.add}<//>
  </fieldset>`;
}

function IconAction({ label, glyph, act, disabled }) {
  return html`<button type="button" class="icon-button small" aria-label=${label} title=${label} disabled=${disabled} onClick=${act}>${glyph}</button>`;
}

function LaneWhen({ lane, isLast, messages, problem, set }) {
  return html`${isLast && !lane.when && html`<p class="help">${text.everyoneElse}</p>`}
    <${When} value=${lane.when} onChange=${set} messages=${messages} />
    ${problem && html`<p class="problem">${problem}</p>`}`;
}

const swap = (lanes, one, other) => lanes.with(one, lanes[other]).with(other, lanes[one]);

/** Add a lane before the lane for everyone else, which stays the last. */
function withAnother(lanes, hasWeights, messages) {
  const label = freshLabel(lanes, hasWeights);
  if (hasWeights) return [...lanes, { label, weight: 0, steps: [] }];
  const when = messages.length ? { message: messages.at(-1)[0], is: "opened" } : { field: "email", op: "exists" };
  const at = lanes.at(-1)?.when ? lanes.length : lanes.length - 1;
  return lanes.toSpliced(at, 0, { label, when, steps: [] });
}

function freshLabel(lanes, hasWeights) {
  const taken = new Set(lanes.map((each) => each.label));
  const candidates = hasWeights ? [..."ABCDEFGHIJ"] : Array.from({ length: 20 }, (_, index) => text.lane(index + 1));
  return candidates.find((each) => !taken.has(each));
}

/** Equal weights stay equal. Chosen weights are not changed; the API reports a wrong sum. */
function rebalance(lanes, hasWeights) {
  const weights = lanes.flatMap((each) => each.weight || []);
  if (!hasWeights || Math.max(...weights) - Math.min(...weights) > 1) return lanes;
  const each = Math.floor(100 / lanes.length);
  return lanes.map((lane, index) => ({ ...lane, weight: each + (index < 100 - each * lanes.length ? 1 : 0) }));
}
