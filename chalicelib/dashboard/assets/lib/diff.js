// @ts-check
// The differences between two texts, line by line.

/** Unchanged lines that are shown before and after a change. */
const CONTEXT_LINES = 3;

/** @typedef {{kind: "same" | "added" | "removed" | "cut", text: string}} DiffLine "cut" stands for unchanged lines that are left out */

/**
 * Return the table of the longest common subsequence. Drafts have a few thousand lines at most.
 * @param {string[]} one
 * @param {string[]} other
 */
function commonLengths(one, other) {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let row = one.length - 1; row >= 0; row -= 1) {
    for (let column = other.length - 1; column >= 0; column -= 1) {
      const below = lengths[row + 1];
      lengths[row][column] = one[row] === other[column] ? below[column + 1] + 1 : Math.max(below[column], lengths[row][column + 1]);
    }
  }
  return lengths;
}

/**
 * Return the lines of both texts in order, with long unchanged parts cut.
 * @param {string} before
 * @param {string} after
 */
export function differences(before, after) {
  const [one, other] = [before.split("\n"), after.split("\n")];
  const lengths = commonLengths(one, other);
  /** @type {DiffLine[]} */
  const lines = [];
  let row = 0;
  let column = 0;
  while (row < one.length || column < other.length) {
    if (row < one.length && one[row] === other[column]) {
      lines.push({ kind: "same", text: one[row] });
      row += 1;
      column += 1;
    } else if (column >= other.length || (row < one.length && lengths[row + 1][column] >= lengths[row][column + 1])) {
      lines.push({ kind: "removed", text: one[row] });
      row += 1;
    } else {
      lines.push({ kind: "added", text: other[column] });
      column += 1;
    }
  }
  return cut(lines);
}

/** @param {DiffLine[]} lines */
function cut(lines) {
  const isNear = (index) => lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some((each) => each.kind !== "same");
  /** @type {DiffLine[]} */
  const shown = [];
  lines.forEach((line, index) => {
    if (line.kind !== "same" || isNear(index)) shown.push(line);
    else if (shown.at(-1)?.kind !== "cut") shown.push({ kind: "cut", text: "" });
  });
  return shown;
}
