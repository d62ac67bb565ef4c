// What is done to the steps of a draft: insert, move, cut, copy, paste; what is selected and where the focus goes.
import { signal } from "../vendor/preact.js";
import { blankStep } from "../lib/schema.js";
import {
  changeStep, copyOf, fieldOf, freshId, idsOf, insertSteps, isInside, listAt, removeStep, samePath, shiftStep, stepAt,
  stepsBefore,
} from "../lib/steps.js"; // prettier-ignore
import { deviceStore } from "../lib/store.js";
import { say } from "../components/parts.js";

/** `nodeTypes()` gives the schemas by type. */
export function makeEditor(draft, nodeTypes) {
  /** {kind: "step", path}, {kind: "trigger"}, {kind: "audience"}, {kind: "settings"} or null. */
  const selected = signal(null);
  /** The slot at which the insert menu is open, with the button that opened it. */
  const inserting = signal(null);
  /** The field of the card that wants the focus. */
  const focus = signal(null);
  const steps = () => draft.parts.value.steps;

  function select(path) {
    selected.value = path && { kind: "step", path };
  }

  function goTo(path) {
    select(path);
    focus.value = path && fieldOf(path);
  }

  function write(next, name) {
    draft.edit({ steps: next }, name);
  }

  function insertNew(type, slot) {
    const step = blankStep(type, nodeTypes().get(type), freshId(type, idsOf(steps())));
    insert(aboutLastMessage(step, slot), slot);
  }

  /** Most conditions ask what became of the message before, so a new one starts with that question. */
  function aboutLastMessage(step, slot) {
    const sent = stepsBefore(steps(), slot).filter((each) => each.step.type === "SEND").at(-1);
    if (step.type !== "CONDITION" || !sent) return step;
    const [first, ...rest] = step.lanes;
    return { ...step, lanes: [{ ...first, when: { message: sent.step.id, is: "opened" } }, ...rest] };
  }

  function insert(step, slot) {
    write(insertSteps(steps(), slot, [step]));
    goTo(slot);
  }

  function remove(path) {
    write(removeStep(steps(), path));
    const left = listAt(steps(), path).length;
    const next = left ? [...path.slice(0, -1), Math.min(path.at(-1), left - 1)] : path.length > 1 ? path.slice(0, -2) : null;
    goTo(next);
  }

  function copy(path) {
    deviceStore.write("clip", JSON.stringify(stepAt(steps(), path)));
    say("Step copied");
  }

  function cut(path) {
    deviceStore.write("clip", JSON.stringify(stepAt(steps(), path)));
    remove(path);
  }

  function clip() {
    try {
      return JSON.parse(deviceStore.read("clip"));
    } catch {
      return null;
    }
  }

  function paste(slot) {
    const step = clip();
    if (step) insert(copyOf(step, idsOf(steps())), slot);
  }

  const afterOf = (path) => [...path.slice(0, -1), path.at(-1) + 1];

  return {
    draft, selected, inserting, focus, select, goTo, insertNew, remove, copy, cut, paste, clip, afterOf,
    duplicate: (path) => insert(copyOf(stepAt(steps(), path), idsOf(steps())), afterOf(path)),
    change(path, next, name) {
      write(changeStep(steps(), path, () => next), `${fieldOf(path)}.${name}`);
    },
    shift(path, by) {
      const moved = shiftStep(steps(), path, by);
      write(moved.steps);
      goTo(moved.path);
    },
    isSelected: (path) => selected.value?.kind === "step" && samePath(selected.value.path, path),
    problemsOf: (path) => draft.problems.value.filter((each) => samePath(each.path, path)),
    problemsInside: (path) => draft.problems.value.filter((each) => isInside(each.path, path)),
  }; // prettier-ignore
}

/** The keys that work on a step while its card has the focus: [keys, words, action(editor, path)]. */
export const STEP_KEYS = [
  ["Delete", "Delete the step", (editor, path) => editor.remove(path)],
  ["Backspace", "Delete the step", (editor, path) => editor.remove(path)],
  ["Mod+c", "Copy", (editor, path) => editor.copy(path)],
  ["Mod+x", "Cut", (editor, path) => editor.cut(path)],
  ["Mod+v", "Paste after it", (editor, path) => editor.paste(editor.afterOf(path))],
  ["Mod+d", "Duplicate", (editor, path) => editor.duplicate(path)],
  ["Alt+ArrowUp", "Move it up", (editor, path) => editor.shift(path, -1)],
  ["Alt+ArrowDown", "Move it down", (editor, path) => editor.shift(path, 1)],
];

export function keyName(event) {
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  const alt = event.altKey ? "Alt+" : "";
  return `${mod}${alt}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}
