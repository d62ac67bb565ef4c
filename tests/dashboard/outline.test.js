import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsed, elapsedWords, headline, subline, whenWords } from "../../chalicelib/dashboard/assets/lib/outline.js";

const NAMES = { channels: new Map([["c", { name: "Newsletter" }]]), templates: new Map([["t", { name: "Welcome" }]]), segments: new Map(), nodeTypes: new Map(), channelTypes: new Map() };

test("a step is named by its name, its template or what it does", () => {
  assert.equal(headline({ id: "a", type: "SEND", templateUid: "t" }, NAMES), "Welcome");
  assert.equal(headline({ id: "a", type: "WAIT", for: "P2D" }, NAMES), "Wait 2 days");
  assert.equal(headline({ id: "a", type: "END" }, NAMES), "Exit");
  assert.equal(subline({ id: "a", type: "SEND", name: "Hi", channelUid: "c", templateUid: "t" }, NAMES), "Newsletter · Welcome");
  assert.equal(subline({ id: "a", type: "AB_TEST", lanes: [{}, {}] }, NAMES), "2 variants");
});

test("conditions are written as sentences", () => {
  assert.equal(whenWords(undefined), "everyone else");
  assert.equal(whenWords({ field: "email", op: "exists" }), "email is set");
  assert.equal(whenWords({ all: [{ tag: "vip" }, { any: [{ tag: "a" }, { tag: "b", is: false }] }] }), "has the tag vip and (has the tag a or does not have the tag b)");
  assert.equal(whenWords({ message: "m", is: "opened", within: "P2D" }, () => "Offer"), "“Offer” was opened within 2 days");
  assert.equal(whenWords({ event: "order.placed", times: 3 }), "did order.placed at least 3 times");
});

test("the time of a step counts the waits before it", () => {
  const steps = [
    { id: "w", type: "WAIT", for: "P2D" },
    { id: "s", type: "AB_TEST", lanes: [{ steps: [{ id: "x", type: "WAIT", for: "P1D" }] }, { steps: [{ id: "e", type: "END" }] }] },
    { id: "end", type: "END" },
    { id: "never", type: "TAG" },
  ];
  const at = elapsed(steps);
  assert.equal(elapsedWords(at.get("steps[0]")), "");
  assert.equal(elapsedWords(at.get("steps[1]")), "day 3");
  assert.equal(elapsedWords(at.get("steps[2]")), "day 4", "a lane that ends does not join");
  assert.equal(at.get("steps[3]"), null);
});

test("a wait for a local time adds up to a day", () => {
  const at = elapsed([{ id: "w", type: "WAIT", localTime: "09:00" }, { id: "t", type: "TAG" }]);
  assert.equal(elapsedWords(at.get("steps[1]")), "day 1–2");
});
