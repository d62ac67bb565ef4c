import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allSteps, changeStep, copyOf, fieldOf, freshId, idsOf, insertSteps, listAt, readField, removeStep, shiftStep, stepAt, stepsBefore,
} from "../../chalicelib/dashboard/assets/lib/steps.js"; // prettier-ignore

const STEPS = [
  { id: "one", type: "SEND" },
  { id: "split", type: "CONDITION", lanes: [
    { label: "Yes", when: { message: "one", is: "opened" }, steps: [{ id: "yes", type: "TAG" }] },
    { label: "No", steps: [{ id: "no", type: "SEND" }, { id: "end", type: "END" }] },
  ] },
  { id: "last", type: "SEND" },
]; // prettier-ignore

test("a path is written as the API names it, and read back", () => {
  assert.equal(fieldOf([1, 0, 0]), "steps[1].lanes[0].steps[0]");
  assert.deepEqual(readField("steps[1].lanes[0].steps[0].templateUid"), { path: [1, 0, 0], rest: "templateUid" });
  assert.deepEqual(readField("audience"), { path: [], rest: "audience" });
});

test("steps are found in reading order", () => {
  assert.deepEqual(allSteps(STEPS).map(({ step }) => step.id), ["one", "split", "yes", "no", "end", "last"]);
  assert.equal(stepAt(STEPS, [1, 1, 0])?.id, "no");
  assert.deepEqual(listAt(STEPS, [1, 0, 0]).map(({ id }) => id), ["yes"]);
});

test("a change returns new steps and leaves the old ones", () => {
  const before = JSON.stringify(STEPS);
  const changed = changeStep(STEPS, [1, 0, 0], (step) => ({ ...step, name: "Tagged" }));
  assert.equal(stepAt(changed, [1, 0, 0])?.name, "Tagged");
  assert.deepEqual([...idsOf(insertSteps(STEPS, [1, 1, 1], [{ id: "new", type: "WAIT" }]))], ["one", "split", "yes", "no", "new", "end", "last"]);
  assert.deepEqual([...idsOf(removeStep(STEPS, [1]))], ["one", "last"]);
  assert.equal(JSON.stringify(STEPS), before);
});

test("a step moves within its list only", () => {
  const { steps, path } = shiftStep(STEPS, [0], 1);
  assert.deepEqual(path, [1]);
  assert.equal(steps[1].id, "one");
  assert.equal(shiftStep(STEPS, [0], -1).steps, STEPS);
});

test("a copy has new IDs, and its references follow them", () => {
  const step = { id: "a", type: "CONDITION", lanes: [{ when: { message: "b", is: "opened" }, steps: [{ id: "b", type: "SEND" }] }] };
  const copy = copyOf(step, new Set(["a", "b"]));
  assert.equal(copy.id, "condition-1");
  assert.deepEqual(copy.lanes?.[0], { when: { message: "send-1", is: "opened" }, steps: [{ id: "send-1", type: "SEND" }] });
  assert.equal(freshId("AB_TEST", new Set(["ab-test-1"])), "ab-test-2");
});

test("another lane of the same split is not before a step", () => {
  assert.deepEqual(stepsBefore(STEPS, [1, 1, 1]).map(({ step }) => step.id), ["one", "no"]);
  assert.deepEqual(stepsBefore(STEPS, [2]).map(({ step }) => step.id), ["one", "split", "yes", "no", "end"]);
});
