import assert from "node:assert/strict";
import { test } from "node:test";
import { durationMs, fromMs, msBetween, relative, secondsOf, shortSpan, span, toMs } from "../../chalicelib/dashboard/assets/lib/times.js";

test("span names the two largest units", () => {
  assert.equal(span(2 * 86_400_000 + 3 * 3_600_000 + 60_000), "2 days 3 hours");
  assert.equal(span(61_000), "1 minute 1 second");
  assert.equal(shortSpan(22 * 60_000 + 21_000), "22 min 21 s");
});

test("span shows parts of a second in seconds and no time as immediately", () => {
  assert.equal(span(250), "0.25 seconds");
  assert.equal(span(1_000), "1 second");
  assert.equal(shortSpan(1_500), "1.5 s");
  assert.equal(span(0), "immediately");
});

test("fields in ms are shown in seconds or minutes and converted back", () => {
  assert.equal(fromMs(250, "s"), 0.25);
  assert.equal(fromMs(90_000, "min"), 1.5);
  assert.equal(fromMs(null, "s"), undefined);
  assert.equal(toMs("0.25", "s"), 250);
  assert.equal(toMs("1.5", "min"), 90_000);
  assert.equal(toMs("", "s"), null);
  assert.equal(toMs("0.1", "s"), 100, "no fraction of a ms");
  assert.equal(secondsOf(1_234), 1.234);
});

test("durationMs reads ISO 8601 durations and their parts", () => {
  assert.equal(durationMs("P1DT2H"), 26 * 3_600_000);
  assert.equal(durationMs("P2W"), 14 * 86_400_000);
  assert.equal(durationMs({ hours: 1, minutes: 30 }), 5_400_000);
  assert.equal(durationMs("P"), null);
  assert.equal(durationMs("soon"), null);
  assert.equal(durationMs(undefined), null);
});

test("relative names past and future and the seconds around now", () => {
  const now = Date.parse("2026-03-01T12:00:00Z");
  assert.equal(relative("2026-03-01T11:57:00Z", now), "3 minutes ago");
  assert.equal(relative("2026-03-03T12:00:00Z", now), "in 2 days");
  assert.equal(relative("2026-03-01T12:00:01Z", now), "in a moment");
  assert.equal(relative(null, now), "–");
});

test("msBetween is not a number where a time is missing", () => {
  assert.equal(msBetween("2026-01-01T00:00:00Z", "2026-01-01T00:00:02Z"), 2_000);
  assert.ok(Number.isNaN(msBetween(null, "2026-01-01T00:00:02Z")));
});
