// @ts-check
// The nested steps of a campaign as a tree: positions, and changes that return a new tree.
//
// A path is a list of numbers: [2] is steps[2], [2, 0, 1] is steps[2].lanes[0].steps[1]. A slot is the path at which
// a new step is inserted.

/**
 * @typedef {{label?: string, weight?: number, when?: any, steps?: Step[]}} Lane
 * @typedef {{id: string, type: string, name?: string, lanes?: Lane[], [field: string]: any}} Step
 * @typedef {number[]} Path
 * @typedef {{step: Step, path: Path}} Place
 */

/**
 * Return whether a step splits into lanes.
 * @param {Step | null | undefined} step
 */
export const isSplit = (step) => Array.isArray(step?.lanes);

/**
 * Write a path as the API names it in its problems: `steps[2].lanes[0].steps[1]`.
 * @param {Path} path
 */
export function fieldOf(path) {
  return path.map((index, depth) => (depth % 2 ? `lanes[${index}]` : `steps[${index}]`)).join(".");
}

/**
 * Split a field name of the API into the path of the innermost step and the field inside that step.
 * @param {string} field
 */
export function readField(field) {
  /** @type {Path} */
  const path = [];
  let rest = field;
  for (;;) {
    const found = /^(?:lanes\[(\d+)\]\.)?steps\[(\d+)\]\.?/.exec(rest);
    if (!found || (found[1] === undefined) !== (path.length === 0)) return { path, rest };
    if (found[1] !== undefined) path.push(Number(found[1]));
    path.push(Number(found[2]));
    rest = rest.slice(found[0].length);
  }
}

/**
 * @param {Path | null | undefined} one
 * @param {Path | null | undefined} other
 */
export const samePath = (one, other) => Boolean(one && other && fieldOf(one) === fieldOf(other));

/**
 * Return whether `path` is `outer` or lies inside it.
 * @param {Path} path
 * @param {Path} outer
 */
export const isInside = (path, outer) => outer.every((index, depth) => path[depth] === index);

/**
 * @param {Step[]} steps
 * @param {Path} path
 * @returns {Step | undefined}
 */
export function stepAt(steps, path) {
  /** @type {Step[] | undefined} */
  let list = steps;
  let step;
  for (let depth = 0; depth < path.length; depth += 2) {
    step = list?.[path[depth]];
    list = step?.lanes?.[path[depth + 1]]?.steps;
  }
  return step;
}

/**
 * Return the list that holds the step of a path.
 * @param {Step[]} steps
 * @param {Path} path
 */
export function listAt(steps, path) {
  if (path.length === 1) return steps;
  const split = stepAt(steps, path.slice(0, -2));
  return split?.lanes?.[path[path.length - 2]]?.steps ?? [];
}

/**
 * Replace the list of a path by `change(list)`.
 * @param {Step[]} steps
 * @param {Path} path
 * @param {(list: Step[]) => Step[]} change
 * @returns {Step[]}
 */
function changeList(steps, path, change) {
  if (path.length === 1) return change(steps);
  const [index, lane, ...rest] = path;
  return replaceIn(steps, index, (step) => ({
    ...step,
    lanes: replaceIn(step.lanes ?? [], lane, (each) => ({ ...each, steps: changeList(each.steps ?? [], rest, change) })),
  }));
}

/**
 * @template T
 * @param {T[]} list
 * @param {number} index
 * @param {(item: T) => T} change
 */
const replaceIn = (list, index, change) => list.map((each, at) => (at === index ? change(each) : each));

/** @param {Path} path */
const lastOf = (path) => path[path.length - 1];

/**
 * @param {Step[]} steps
 * @param {Path} path
 * @param {(step: Step) => Step} change
 */
export const changeStep = (steps, path, change) => changeList(steps, path, (list) => replaceIn(list, lastOf(path), change));

/**
 * @param {Step[]} steps
 * @param {Path} slot
 * @param {Step[]} added
 */
export const insertSteps = (steps, slot, added) => changeList(steps, slot, (list) => list.toSpliced(lastOf(slot), 0, ...added));

/**
 * @param {Step[]} steps
 * @param {Path} path
 */
export const removeStep = (steps, path) => changeList(steps, path, (list) => list.toSpliced(lastOf(path), 1));

/**
 * Move a step within its list. At the end of the list nothing changes.
 * @param {Step[]} steps
 * @param {Path} path
 * @param {number} by 1 is down, -1 is up
 */
export function shiftStep(steps, path, by) {
  const list = listAt(steps, path);
  const from = lastOf(path);
  if (from + by < 0 || from + by >= list.length) return { steps, path };
  const moved = changeList(steps, path, (each) => each.toSpliced(from, 1).toSpliced(from + by, 0, each[from]));
  return { steps: moved, path: [...path.slice(0, -1), from + by] };
}

/**
 * Return every step in reading order.
 * @param {Step[] | null | undefined} steps
 * @param {Path} [above]
 * @returns {Place[]}
 */
export function allSteps(steps, above = []) {
  return (steps ?? []).flatMap((step, index) => {
    const path = [...above, index];
    const inside = (isSplit(step) ? (step.lanes ?? []) : []).flatMap((lane, at) => allSteps(lane?.steps, [...path, at]));
    return [{ step, path }, ...inside];
  });
}

/**
 * Return an unused ID such as "send-2".
 * @param {string} type
 * @param {Set<string>} taken
 */
export function freshId(type, taken) {
  const stem = String(type || "step").toLowerCase().replaceAll("_", "-");
  let number = 1;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

/**
 * Copy a step with new IDs where its IDs are taken. References inside the copy point to the copied steps.
 * @param {Step} step
 * @param {Set<string>} taken is extended by the IDs of the copy
 * @returns {Step}
 */
export function copyOf(step, taken) {
  /** @type {Map<string, string>} */
  const newIds = new Map();
  for (const each of allSteps([step])) {
    const id = taken.has(each.step.id) ? freshId(each.step.type, taken) : each.step.id;
    taken.add(id);
    newIds.set(each.step.id, id);
  }
  return replaceIds(step, newIds);
}

function replaceIds(value, newIds) {
  if (Array.isArray(value)) return value.map((each) => replaceIds(each, newIds));
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const isReference = name === "id" || name === "message";
      return [name, isReference && newIds.has(each) ? newIds.get(each) : replaceIds(each, newIds)];
    }),
  );
}

/** @param {Step[]} steps */
export const idsOf = (steps) => new Set(allSteps(steps).map(({ step }) => step?.id));

/**
 * Return the steps that a contact can have passed when it reaches `path`: those before it, in its lanes and around them.
 * @param {Step[]} steps
 * @param {Path} path
 */
export function stepsBefore(steps, path) {
  return allSteps(steps).filter((each) => !isInside(path, each.path) && comesBefore(each.path, path));
}

/**
 * @param {Path} one
 * @param {Path} other
 */
function comesBefore(one, other) {
  for (let depth = 0; depth < one.length; depth += 1) {
    if (one[depth] === other[depth]) continue;
    // Another lane of the same split is beside, not before.
    return depth % 2 === 0 && one[depth] < (other[depth] ?? -1);
  }
  return true;
}
