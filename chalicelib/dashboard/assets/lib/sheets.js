// @ts-check
// Style sheets that are loaded with the screens that need them.

/** @type {Map<string, Promise<unknown>>} */
const requested = new Map();

/**
 * Add a style sheet to the page once. The promise resolves when the sheet applies, or when it cannot be loaded.
 * @param {string} url from `import.meta.resolve`
 */
export function useSheet(url) {
  const known = requested.get(url);
  if (known) return known;
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: url });
  const loaded = new Promise((done) => {
    link.onload = link.onerror = done;
  });
  requested.set(url, loaded);
  document.head.append(link);
  return loaded;
}
