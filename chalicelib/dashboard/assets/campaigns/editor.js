// @ts-check
// Editing the steps of a draft: insert, move, cut, copy and paste; the selection and the keyboard focus.
import { signal } from "../vendor/preact.js";
import { blankStep } from "../lib/schema.js";
import {
  changeStep, copyOf, fieldOf, freshId, idsOf, insertSteps, isInside, listAt, removeStep, samePath, shiftStep, stepAt,
  stepsBefore,
} from "../lib/steps.js"; // prettier-ignore
import { deviceStore } from "../lib/store.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { say } from "../components/parts.js";

/** @typedef {import("../lib/steps.js").Path} Path */
/** @typedef {import("../lib/steps.js").Step} Step */
/** @typedef {{kind: "step" | "trigger" | "audience" | "settings", path?: Path}} Selection */
/** @typedef {ReturnType<typeof makeEditor>} Editor */

/**
 * @param {ReturnType<typeof import("./draft.js").openDraft>} draft
 * @param {() => Map<string, any>} nodeTypes returns the schemas by type
 */
export function makeEditor(draft, nodeTypes) {
  const selected = signal(/** @type {Selection | null} */ (null));
  /** The slot at which the insert menu is open, with the button that opened it. */
  const inserting = signal(/** @type {{slot: Path, button: HTMLElement} | null} */ (null));
  /** The field of the card that gets the focus next. */
  const focus = signal(/** @type {string | null} */ (null));
  const steps = () => draft.parts.value.steps;

  function select(/** @type {Path | null} */ path) {
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

  /** Most conditions ask about the latest message, so a new condition starts with it. */
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
    say(campaigns.editor.copied);
  }

  function cut(path) {
    deviceStore.write("clip", JSON.stringify(stepAt(steps(), path)));
    remove(path);
  }

  function clip() {
    try {
      return JSON.parse(deviceStore.read("clip") ?? "null");
    } catch {
      return null;
    }
  }

  function paste(slot) {
    const step = clip();
    if (step) insert(copyOf(step, idsOf(steps())), slot);
  }

  const afterOf = (/** @type {Path} */ path) => [...path.slice(0, -1), (path.at(-1) ?? 0) + 1];

  return {
    draft, selected, inserting, focus, select, goTo, insertNew, remove, copy, cut, paste, clip, afterOf,
    duplicate(/** @type {Path} */ path) {
      const step = stepAt(steps(), path);
      if (step) insert(copyOf(step, idsOf(steps())), afterOf(path));
    },
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

/**
 * The keys of a step whose card has the focus: [key, name of the text, action].
 * @type {[string, string, (editor: Editor, path: Path) => void][]}
 */
export const STEP_KEYS = [
  ["Delete", "delete", (editor, path) => editor.remove(path)],
  ["Backspace", "delete", (editor, path) => editor.remove(path)],
  ["Mod+c", "copy", (editor, path) => editor.copy(path)],
  ["Mod+x", "cut", (editor, path) => editor.cut(path)],
  ["Mod+v", "paste", (editor, path) => editor.paste(editor.afterOf(path))],
  ["Mod+d", "duplicate", (editor, path) => editor.duplicate(path)],
  ["Alt+ArrowUp", "up", (editor, path) => editor.shift(path, -1)],
  ["Alt+ArrowDown", "down", (editor, path) => editor.shift(path, 1)],
];

/**
 * Return the name of a pressed key with its modifiers: "Mod+c". Mod is Ctrl, or Command on a Mac.
 * @param {KeyboardEvent} event
 */
export function keyName(event) {
  const mod = event.ctrlKey || event.metaKey ? "Mod+" : "";
  const alt = event.altKey ? "Alt+" : "";
  return `${mod}${alt}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
}
