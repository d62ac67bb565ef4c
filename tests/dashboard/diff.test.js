import assert from "node:assert/strict";
import { test } from "node:test";
import { differences } from "../../chalicelib/dashboard/assets/lib/diff.js";

const marks = (before, after) => differences(before, after).map(({ kind, text }) => `${kind} ${text}`.trim());

test("a changed line is removed and added", () => {
  assert.deepEqual(marks("a\nb\nc", "a\nx\nc"), ["same a", "removed b", "added x", "same c"]);
});

test("long unchanged parts are cut, with three lines around each change", () => {
  const lines = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  const found = marks(lines.join("\n"), [...lines, "new"].join("\n"));
  assert.deepEqual(found, ["cut", "same line 17", "same line 18", "same line 19", "added new"]);
});
