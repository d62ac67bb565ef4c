import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress, screenOf, to } from "../../chalicelib/dashboard/assets/lib/address.js";
import { kindOf, nameOf, unwrap } from "../../chalicelib/dashboard/assets/lib/schema.js";
import { reasonWord, statusWord, title, tone, whyOfMessage } from "../../chalicelib/dashboard/assets/lib/words.js";

test("codes and statuses are shown in words", () => {
  assert.equal(title("pauseBetweenContacts"), "Pause between contacts");
  assert.equal(statusWord("COMPLETED_PARTIAL"), "Partially completed");
  assert.equal(reasonWord("channel_not_found"), "the channel was deleted");
  assert.equal(reasonWord("status_503"), "the provider answered with status 503");
  assert.equal(reasonWord("new_code: detail"), "new code (detail)");
  assert.equal(reasonWord(null), "");
  assert.equal(tone("PAUSED_ERROR"), "warn");
});

test("a delivered message has no reason, also after failed attempts", () => {
  assert.equal(whyOfMessage({ status: "delivered", reason: "read_timeout" }), "");
  assert.equal(whyOfMessage({ status: "failed", reason: "no_address" }), "no address for this channel");
});

test("an address is built and read back", () => {
  assert.equal(to("flows", { status: "running", node: "" }), "#/flows?status=running");
  assert.deepEqual(readAddress(to("flows", "a b", "c")).path, ["flows", "a b", "c"]);
  assert.equal(screenOf(["flows", "a", "b"]), "flows//");
  assert.equal(screenOf([]), "overview");
});

test("a schema names the control of a field", () => {
  const root = { $defs: { Name: { type: "string" } } };
  assert.equal(kindOf({ $ref: "#/$defs/Name" }, root), "text");
  assert.equal(kindOf({ anyOf: [{ type: "string" }, { type: "object", properties: { seconds: {} } }] }, root), "duration");
  assert.equal(kindOf({ type: "array", items: { enum: ["a"] } }, root), "several");
  assert.equal(unwrap({ anyOf: [{ type: "integer" }, { type: "null" }] }, root).nullable, true);
  assert.equal(nameOf("MESSAGE"), "Transactional");
});
