import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

const stored = new Map();
globalThis.sessionStorage = { getItem: (name) => stored.get(name) ?? null, setItem: (name, value) => stored.set(name, value), removeItem: (name) => stored.delete(name) };
globalThis.location = { hash: "", href: "http://localhost/" };

const { openDraft } = await import("../../chalicelib/dashboard/assets/campaigns/draft.js");

const CAMPAIGN = { uid: "c", rev: 1, name: "Spring", steps: [] };
let server;

/** A server with one campaign, which rejects an old revision with 409. */
globalThis.fetch = async (url, { method, body }) => {
  const json = (status, data) => new Response(JSON.stringify(status === 200 ? { data } : data), { status });
  if (url.endsWith("/validate")) return json(200, { errors: [{ field: "steps[0].name", message: "is required" }], warnings: [] });
  if (method === "GET") return json(200, server);
  const { rev, ...changes } = JSON.parse(body);
  if (rev !== server.rev) return json(409, { error: "conflict", message: "The campaign was changed" });
  server = { ...server, ...changes, rev: rev + 1 };
  return json(200, server);
};

beforeEach(() => {
  stored.clear();
  server = { ...CAMPAIGN };
});

test("an edit is saved with its changes only, and can be undone", async () => {
  const draft = openDraft(CAMPAIGN);
  draft.edit({ name: "Summer" });
  assert.equal(draft.state.value, "waiting");
  await draft.save();
  assert.deepEqual([server.name, server.rev, draft.state.value], ["Summer", 2, "saved"]);
  draft.undo();
  await draft.save();
  assert.equal(server.name, "Spring");
  draft.redo();
  assert.equal(draft.parts.value.name, "Summer");
  draft.close();
});

test("edits of one field in quick succession are one step of the history", async () => {
  const draft = openDraft(CAMPAIGN);
  draft.edit({ name: "S" }, "name");
  draft.edit({ name: "Su" }, "name");
  assert.equal(draft.history.value.past.length, 1);
  await draft.save();
});

test("problems carry the path of their step", async () => {
  const draft = openDraft(CAMPAIGN);
  await draft.validate();
  assert.deepEqual(draft.problems.value.map(({ level, path, rest }) => [level, path, rest]), [["error", [0], "name"]]);
});

test("the draft of another user is a conflict, and either side can win", async () => {
  const draft = openDraft(CAMPAIGN);
  server = { ...server, name: "Theirs", rev: 5 };
  draft.edit({ name: "Mine" });
  await draft.save();
  assert.equal(draft.state.value, "conflict");
  await assert.rejects(draft.saveAll(), /Another user changed this draft/);
  await draft.resolve("mine");
  assert.deepEqual([server.name, draft.state.value], ["Mine", "saved"]);
});

test("a new revision with the same draft is no conflict", async () => {
  const draft = openDraft(CAMPAIGN);
  server = { ...server, rev: 7 };
  draft.edit({ name: "Mine" });
  await draft.save();
  assert.deepEqual([server.name, server.rev, draft.state.value], ["Mine", 8, "saved"]);
});

test("edits that were not saved are restored from the tab", async () => {
  stored.set("carillon.draft.c", JSON.stringify({ parts: { ...openDraft(CAMPAIGN).parts.value, name: "Typed" }, base: openDraft(CAMPAIGN).parts.value }));
  const draft = openDraft(CAMPAIGN);
  assert.equal(draft.parts.value.name, "Typed");
  await draft.save();
  assert.equal(server.name, "Typed");
});
