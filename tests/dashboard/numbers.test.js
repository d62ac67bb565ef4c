import assert from "node:assert/strict";
import { test } from "node:test";
import { compact, count, money, percent, share } from "../../chalicelib/dashboard/assets/lib/numbers.js";

test("percent has no space and a dash stands for no number", () => {
  assert.equal(percent(0.36), "36%");
  assert.equal(percent(0.1234, 1), "12.3%");
  assert.equal(percent(null), "–");
  assert.equal(percent(Number.NaN), "–");
});

test("share shows one decimal below one percent", () => {
  assert.equal(share(1, 4), "25%");
  assert.equal(share(1, 500), "0.2%");
  assert.equal(share(0, 500), "0%");
  assert.equal(share(1, 0), "–");
});

test("count groups digits and compact shortens from 10,000", () => {
  assert.equal(count(12_649), "12,649");
  assert.equal(count(undefined), "0");
  assert.equal(compact(9_999), "9,999");
  assert.equal(compact(12_649), "12.6K");
});

test("money has its currency; an unknown currency is shown as it is", () => {
  assert.equal(money("5", "EUR"), "€5.00");
  assert.equal(money("0.000025", "USD"), "$0.000025");
  assert.equal(money(null, "EUR"), "–");
  assert.equal(money("5", "??"), "5 ??");
});
