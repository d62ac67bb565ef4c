// Nested steps as a tree: where things are and how they change. Nothing is changed in place.
//
// A path is a list of numbers: [2] is steps[2], [2, 0, 1] is steps[2].lanes[0].steps[1]. A slot is the path at which
// a new step would stand.

export const isSplit = (step) => Array.isArray(step?.lanes);

/** As the API names it in its problems. */
export function fieldOf(path) {
  return path.map((index, depth) => (depth % 2 ? `lanes[${index}]` : `steps[${index}]`)).join(".");
}

/** The longest path to a step at the beginning of a field, and the field inside of that step. */
export function readField(field) {
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

export const samePath = (one, other) => Boolean(one && other) && fieldOf(one) === fieldOf(other);

/** Whether `path` is `outer` or lies inside of it. */
export const isInside = (path, outer) => outer.every((index, depth) => path[depth] === index);

export function stepAt(steps, path) {
  let list = steps;
  let step;
  for (let depth = 0; depth < path.length; depth += 2) {
    step = list?.[path[depth]];
    list = step?.lanes?.[path[depth + 1]]?.steps;
  }
  return step;
}

/** The list that a path's last number counts in. */
export function listAt(steps, path) {
  if (path.length === 1) return steps;
  const split = stepAt(steps, path.slice(0, -2));
  return split?.lanes?.[path.at(-2)]?.steps ?? [];
}

/** `change(list)` gives the new list at this path. */
function changeList(steps, path, change) {
  if (path.length === 1) return change(steps);
  const [index, lane, ...rest] = path;
  return replaceIn(steps, index, (step) => ({
    ...step,
    lanes: replaceIn(step.lanes, lane, (each) => ({ ...each, steps: changeList(each.steps ?? [], rest, change) })),
  }));
}

const replaceIn = (list, index, change) => list.map((each, at) => (at === index ? change(each) : each));

export const changeStep = (steps, path, change) =>
  changeList(steps, path, (list) => replaceIn(list, path.at(-1), change));

export const insertSteps = (steps, slot, added) => changeList(steps, slot, (list) => list.toSpliced(slot.at(-1), 0, ...added));

export const removeStep = (steps, path) => changeList(steps, path, (list) => list.toSpliced(path.at(-1), 1));

/** One up or down in its list; the same steps where there is no place to go. */
export function shiftStep(steps, path, by) {
  const list = listAt(steps, path);
  const from = path.at(-1);
  if (from + by < 0 || from + by >= list.length) return { steps, path };
  const moved = changeList(steps, path, (each) => each.toSpliced(from, 1).toSpliced(from + by, 0, each[from]));
  return { steps: moved, path: [...path.slice(0, -1), from + by] };
}

/** Every step in reading order, as {step, path}. */
export function walk(steps, above = []) {
  return (steps ?? []).flatMap((step, index) => {
    const path = [...above, index];
    const inside = isSplit(step) ? step.lanes.flatMap((lane, at) => walk(lane?.steps, [...path, at])) : [];
    return [{ step, path }, ...inside];
  });
}

/** "send-2": short, telling, not taken. */
export function freshId(type, taken) {
  const stem = String(type || "step").toLowerCase().replaceAll("_", "-");
  let number = 1;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

/** A copy under ids of its own; what it says of its own steps follows them. */
export function copyOf(step, taken) {
  const renamed = new Map();
  for (const each of walk([step])) {
    const id = taken.has(each.step.id) ? freshId(each.step.type, taken) : each.step.id;
    taken.add(id);
    renamed.set(each.step.id, id);
  }
  return rename(step, renamed);
}

function rename(value, renamed) {
  if (Array.isArray(value)) return value.map((each) => rename(each, renamed));
  if (!value || typeof value !== "object") return value;
  const named = { ...value };
  for (const name of Object.keys(named)) {
    const isReference = name === "id" || name === "message";
    named[name] = isReference && renamed.has(named[name]) ? renamed.get(named[name]) : rename(named[name], renamed);
  }
  return named;
}

export const idsOf = (steps) => new Set(walk(steps).map(({ step }) => step?.id));

/** The steps that a walk has passed when it comes to `path`: those before it, in its own lanes and around it. */
export function stepsBefore(steps, path) {
  return walk(steps).filter(
    (each) => !isInside(path, each.path) && comesBefore(each.path, path),
  );
}

function comesBefore(one, other) {
  for (let depth = 0; depth < one.length; depth += 1) {
    if (one[depth] === other[depth]) continue;
    // Another lane of the same split is beside, not before.
    return depth % 2 === 0 && one[depth] < (other[depth] ?? -1);
  }
  return true;
}
