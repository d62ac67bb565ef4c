// @ts-check
// The steps as a line of cards. A split opens lanes, which join after the split.
import { html, useLayoutEffect, useRef } from "../vendor/preact.js";
import { share } from "../lib/numbers.js";
import { elapsed } from "../lib/outline.js";
import { fieldOf, isSplit } from "../lib/steps.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { Icon } from "../components/icons.js";
import { keyName, STEP_KEYS } from "./editor.js";
import { StepCard } from "./step-card.js";

const text = campaigns.timeline;

/**
 * The whole timeline. `counters` is a signal with the statistics of the nodes by ID, or null. Only the components that show
 * numbers read it, and their other properties stay the same: new statistics redraw numbers only.
 * @param {{editor: import("./editor.js").Editor, counters: any, Start: any}} props
 */
export function Timeline({ editor, counters, Start }) {
  const steps = editor.draft.parts.value.steps;
  const times = elapsed(steps);
  const canvas = useRef(/** @type {HTMLElement | null} */ (null));
  const wanted = editor.focus.value;
  // A card that moved is a new element. A layout effect focuses it before the next key press, so no key is lost.
  useLayoutEffect(() => {
    if (!wanted) return;
    /** @type {HTMLElement | null | undefined} */
    const card = canvas.current?.querySelector(`[data-field="${wanted}"]`);
    card?.focus({ preventScroll: false });
    editor.focus.value = null;
  }, [wanted, steps]);
  const shared = { editor, counters, times };
  return html`<div class="flowline" ref=${canvas} onKeyDown=${(event) => onKeyDown(event, editor, canvas.current)}>
    <${Start} editor=${editor} />
    <${Lane} ...${shared} steps=${steps} above=${[]} label=${text.steps} />
    <p class="finish">${endsHere(steps) ? "" : text.end}</p>
  </div>`;
}

const endsHere = (steps) => steps?.at(-1)?.type === "END";

function Lane({ steps, above, label, ...shared }) {
  const list = steps ?? [];
  return html`<ol class="lane-steps" aria-label=${label}>
    ${list.map((step, index) => {
      const path = [...above, index];
      return html`<li key=${`${index} ${step?.id}`} class="station">
        <${Plus} slot=${path} editor=${shared.editor} />
        <${StepCard} ...${shared} step=${step} path=${path} />
        ${isSplit(step) && html`<${Lanes} ...${shared} step=${step} path=${path} />`}
      </li>`;
    })}
    ${!endsHere(list) && html`<li class="station"><${Plus} slot=${[...above, list.length]} editor=${shared.editor} isLast=${!list.length} /></li>`}
  </ol>`;
}

function Lanes({ step, path, ...shared }) {
  const hasBypass = step.type === "CONDITION" && Boolean(step.lanes.at(-1)?.when);
  return html`<ol class="lanes" aria-label=${text.lanes}>
    ${step.lanes.map((lane, index) => html`<li key=${index} class="lane ${endsHere(lane?.steps) ? "ends" : ""}">
      <p class="lane-name"><b title=${lane?.label}>${lane?.label || text.lane(index + 1)}</b><${LaneShare} node=${step.id} lane=${lane} counters=${shared.counters} /></p>
      <${Lane} ...${shared} steps=${lane?.steps} above=${[...path, index]} label=${text.lane(lane?.label ?? index + 1)} />
      ${endsHere(lane?.steps) && html`<p class="ended">${text.ended}</p>`}
    </li>`)}
    ${hasBypass && html`<li class="lane bypass"><p class="lane-name"><b>${text.others}</b><${LaneShare} node=${step.id} lane=${OTHERS} counters=${shared.counters} /></p>
      <p class="ended">${text.continue}</p></li>`}
  </ol>`;
}

/** The exit of contacts that no lane takes, as the API names it. */
const OTHERS = { label: "otherwise" };

/** The measured share of a lane; before any contact has passed, its weight. */
function LaneShare({ node, lane, counters }) {
  const left = counters.value?.[node]?.left ?? {};
  const passed = Object.values(left).reduce((sum, each) => sum + each, 0);
  if (passed) return html`<span>${share(left[lane?.label] ?? 0, passed)}</span>`;
  return lane?.weight === undefined ? null : html`<span>${text.weight(lane.weight)}</span>`;
}

function Plus({ slot, editor, isLast }) {
  const label = `${slot.at(-1) === 0 ? text.insertFirst : text.insertAfter(slot.at(-1))}${slot.length > 1 ? text.ofLane : ""}`;
  function open(event) {
    editor.inserting.value = { slot, button: event.currentTarget };
  }
  return html`<button type="button" class="plus ${isLast ? "is-wide" : ""}" data-slot=${fieldOf(slot)} aria-haspopup="menu"
    aria-label=${label} onClick=${open}><${Icon} name="plus" />${isLast && html`<span>${text.add}</span>`}</button>`;
}

function onKeyDown(event, editor, canvas) {
  const field = event.target.dataset?.field;
  if (!field) return;
  const path = pathOf(field);
  const pressed = keyName(event);
  const action = STEP_KEYS.find(([keys]) => keys === pressed)?.[2];
  if (action) action(editor, path);
  else if (pressed === "+" || pressed === "Insert") openAfter(canvas, editor, path);
  else if (!moveFocus(pressed, event.target, canvas)) return;
  event.preventDefault();
}

const pathOf = (field) => [...field.matchAll(/\[(\d+)\]/g)].map((found) => Number(found[1]));

function openAfter(canvas, editor, path) {
  canvas.querySelector(`[data-slot="${fieldOf(editor.afterOf(path))}"]`)?.click();
}

/** Move the focus: up and down in reading order, left and right to the nearest card of another lane. */
function moveFocus(pressed, from, canvas) {
  const cards = [...canvas.querySelectorAll("[data-field]")];
  if (pressed === "ArrowDown" || pressed === "ArrowUp") {
    cards[cards.indexOf(from) + (pressed === "ArrowDown" ? 1 : -1)]?.focus();
    return true;
  }
  if (pressed !== "ArrowLeft" && pressed !== "ArrowRight") return false;
  const here = from.getBoundingClientRect();
  const side = pressed === "ArrowRight" ? 1 : -1;
  const beside = cards
    .map((card) => ({ card, box: card.getBoundingClientRect() }))
    .filter(({ box }) => (box.left - here.left) * side > 20 && Math.abs(box.top - here.top) < 400);
  const distance = ({ box }) => Math.abs(box.left - here.left) + 2 * Math.abs(box.top - here.top);
  beside.sort((one, other) => distance(one) - distance(other))[0]?.card.focus();
  return true;
}
