// @ts-check
// Reads the first records of a CSV file, so that its columns can be mapped. The API reads the whole file.

/**
 * Return the first records as lists of fields. A quoted field may hold separators, quotes and line breaks.
 * @param {string} text
 * @param {string} separator
 * @param {number} [most] how many records to read
 */
export function readCsv(text, separator, most = 6) {
  /** @type {string[][]} */
  const records = [];
  /** @type {string[]} */
  let fields = [];
  let field = "";
  let isQuoted = false;
  for (let at = 0; at < text.length && records.length < most; at += 1) {
    const here = text[at];
    if (isQuoted) {
      if (here === '"' && text[at + 1] === '"') at += 1;
      else if (here === '"') {
        isQuoted = false;
        continue;
      }
      field += here;
    } else if (here === '"' && !field) isQuoted = true;
    else if (here === separator) {
      fields.push(field);
      field = "";
    } else if (here === "\n") {
      records.push([...fields, field.replace(/\r$/, "")]);
      fields = [];
      field = "";
    } else field += here;
  }
  if (records.length < most && (field || fields.length)) records.push([...fields, field]);
  return records;
}

/**
 * Return the separator that is most frequent in the first line: comma, semicolon or tab.
 * @param {string} text
 */
export function guessSeparator(text) {
  const firstLine = text.split("\n", 1)[0];
  const separators = [",", ";", "\t"].map((each) => ({ separator: each, fields: firstLine.split(each).length }));
  return separators.sort((one, other) => other.fields - one.fields)[0].separator;
}
