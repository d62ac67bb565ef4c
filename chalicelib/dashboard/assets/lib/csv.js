// Reads the head of a CSV file, so that its columns can be mapped; the rows themselves are the API's to read.

/** The first `most` records as lists of fields. A quoted field may hold separators, quotes and line breaks. */
export function readCsv(text, separator, most = 6) {
  const records = [];
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

/** The separator that the first line has most of. */
export function guessSeparator(text) {
  const line = text.split("\n", 1)[0];
  const found = [",", ";", "\t"].map((each) => [each, line.split(each).length]);
  return found.sort((one, other) => other[1] - one[1])[0][0];
}
