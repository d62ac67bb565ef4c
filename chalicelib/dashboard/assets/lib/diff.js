// What changed between two texts, line by line.

const AROUND = 3;

/** The longest common subsequence by dynamic programming: drafts have a few thousand lines at most. */
function matrix(one, other) {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let row = one.length - 1; row >= 0; row -= 1) {
    for (let column = other.length - 1; column >= 0; column -= 1) {
      const below = lengths[row + 1];
      lengths[row][column] = one[row] === other[column] ? below[column + 1] + 1 : Math.max(below[column], lengths[row][column + 1]);
    }
  }
  return lengths;
}

/** {kind: "same" | "added" | "removed" | "cut", text} in order; long stretches that are the same are cut. */
export function differences(before, after) {
  const [one, other] = [before.split("\n"), after.split("\n")];
  const lengths = matrix(one, other);
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

function cut(lines) {
  const isNear = (index) => lines.slice(Math.max(0, index - AROUND), index + AROUND + 1).some((each) => each.kind !== "same");
  const kept = [];
  lines.forEach((line, index) => {
    if (line.kind !== "same" || isNear(index)) kept.push(line);
    else if (kept.at(-1)?.kind !== "cut") kept.push({ kind: "cut", text: "" });
  });
  return kept;
}
