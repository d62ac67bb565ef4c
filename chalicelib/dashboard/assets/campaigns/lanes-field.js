// The lanes of a split in the panel: labels, weights, conditions; add, remove, move.
import { html } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { headline } from "../lib/outline.js";
import { resolve } from "../lib/schema.js";
import { stepsBefore } from "../lib/steps.js";
import { Icon } from "../components/icons.js";
import { Button, Text } from "../components/parts.js";
import { When } from "../components/when.js";

export function LanesField({ schema, root, value, onChange, problemAt, editor, stepPath }) {
  const lanes = value ?? [];
  const lane = resolve(schema.items, root);
  const hasWeights = Boolean(lane.properties.weight);
  const set = (index, changes) => onChange(lanes.with(index, { ...lanes[index], ...changes }));
  const messages = stepsBefore(editor.draft.parts.value.steps, stepPath)
    .filter((each) => each.step.type === "SEND")
    .map((each) => [each.step.id, headline(each.step, names.value)]);
  const own = problemAt("lanes");
  return html`<fieldset class="form"><legend>Lanes</legend>
    ${own && html`<p class="problem">${own}</p>`}
    ${lanes.map((each, index) => html`<div class="inset form" key=${index}>
      <div class="between"><h3>${each.label || `Lane ${index + 1}`}</h3><span class="row">
        <${IconAction} label="Move lane ${index + 1} to the left" glyph="‹" disabled=${index === 0} act=${() => onChange(swap(lanes, index, index - 1))} />
        <${IconAction} label="Move lane ${index + 1} to the right" glyph="›" disabled=${index === lanes.length - 1} act=${() => onChange(swap(lanes, index, index + 1))} />
        <${IconAction} label="Remove lane ${index + 1}" glyph=${html`<${Icon} name="close" />`} disabled=${lanes.length <= (schema.minItems ?? 1)}
          act=${() => onChange(rebalance(lanes.toSpliced(index, 1), hasWeights))} /></span></div>
      <${Text} name="Label" value=${each.label} maxlength=${50} problem=${problemAt(`lanes[${index}].label`)} onInput=${(label) => set(index, { label })} />
      ${hasWeights && html`<${Text} name="Weight (%)" type="number" min="0" max="100" value=${each.weight} problem=${problemAt(`lanes[${index}].weight`)}
        onInput=${(weight) => set(index, { weight: weight === "" ? undefined : Number(weight) })} />`}
      ${!hasWeights && html`<${LaneWhen} lane=${each} isLast=${index === lanes.length - 1} messages=${messages} problem=${problemAt(`lanes[${index}].when`)}
        set=${(when) => set(index, { when })} />`}
    </div>`)}
    <${Button} disabled=${lanes.length >= (schema.maxItems ?? 99)} onClick=${() => onChange(rebalance(withAnother(lanes, hasWeights, messages), hasWeights))}>Add a lane<//>
  </fieldset>`;
}

function IconAction({ label, glyph, act, disabled }) {
  return html`<button type="button" class="icon-button small" aria-label=${label} title=${label} disabled=${disabled} onClick=${act}>${glyph}</button>`;
}

function LaneWhen({ lane, isLast, messages, problem, set }) {
  return html`${isLast && !lane.when && html`<p class="help">Takes everybody else. With a comparison it takes some, and the others go on after the split.</p>`}
    <${When} value=${lane.when} onChange=${set} messages=${messages} />
    ${problem && html`<p class="problem">${problem}</p>`}`;
}

const swap = (lanes, one, other) => lanes.with(one, lanes[other]).with(other, lanes[one]);

/** The lane for everybody else stays the last. */
function withAnother(lanes, hasWeights, messages) {
  const label = freshLabel(lanes, hasWeights);
  if (hasWeights) return [...lanes, { label, weight: 0, steps: [] }];
  const when = messages.length ? { message: messages.at(-1)[0], is: "opened" } : { field: "email", op: "exists" };
  const at = lanes.at(-1)?.when ? lanes.length : lanes.length - 1;
  return lanes.toSpliced(at, 0, { label, when, steps: [] });
}

function freshLabel(lanes, hasWeights) {
  const taken = new Set(lanes.map((each) => each.label));
  const candidates = hasWeights ? [..."ABCDEFGHIJ"] : Array.from({ length: 20 }, (_, index) => `Lane ${index + 1}`);
  return candidates.find((each) => !taken.has(each));
}

/** Weights that were even stay even; those that somebody chose are left for them to mend. */
function rebalance(lanes, hasWeights) {
  const weights = lanes.map((each) => each.weight).filter(Boolean);
  if (!hasWeights || Math.max(...weights) - Math.min(...weights) > 1) return lanes;
  const each = Math.floor(100 / lanes.length);
  return lanes.map((lane, index) => ({ ...lane, weight: each + (index < 100 - each * lanes.length ? 1 : 0) }));
}
