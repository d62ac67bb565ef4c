import assert from "node:assert/strict";
import { test } from "node:test";
import { guessSeparator, readCsv } from "../../chalicelib/dashboard/assets/lib/csv.js";

test("a quoted field may hold separators, quotes and line breaks", () => {
  assert.deepEqual(readCsv('a,b\n"1,5","say ""hi""\nagain"\n', ","), [["a", "b"], ["1,5", 'say "hi"\nagain']]);
});

test("reading stops after the requested records, and needs no final line break", () => {
  assert.deepEqual(readCsv("a\r\nb\r\nc", ",", 2), [["a"], ["b"]]);
  assert.deepEqual(readCsv("a;b\n1;2", ";"), [["a", "b"], ["1", "2"]]);
  assert.deepEqual(readCsv("", ","), []);
});

test("the separator is the most frequent one of the first line", () => {
  assert.equal(guessSeparator("a;b;c,d\n1,2,3,4,5"), ";");
  assert.equal(guessSeparator("a\tb"), "\t");
  assert.equal(guessSeparator("a"), ",");
});
