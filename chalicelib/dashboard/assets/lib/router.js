// @ts-check
// The current place of the page, read from the URL: #/campaigns/…?state=RUNNING. Filters are part of the URL.
import { signal, useEffect, useState } from "../vendor/preact.js";
import { readAddress, to } from "./address.js";

export { to };

export const place = signal(readAddress(location.hash));

addEventListener("hashchange", () => {
  place.value = readAddress(location.hash);
});

/** @param {Parameters<typeof to>} parts */
export function go(...parts) {
  location.hash = to(...parts);
}

/**
 * Change the query of this place without a new entry in the browser's history.
 * @param {Record<string, string>} changes
 */
export function setQuery(changes) {
  const query = { ...Object.fromEntries(place.value.query), ...changes };
  const hash = to(...place.value.path, query);
  history.replaceState(null, "", new URL(hash, location.href));
  place.value = readAddress(location.hash);
}

/**
 * Return the text of a search field and its setter. The text is also the value `name` of the query, in both directions.
 * @param {string} name
 * @returns {[string, (next: string) => void]}
 */
export function useTyped(name) {
  const stored = place.value.query.get(name) ?? "";
  const [typed, setTyped] = useState(stored);
  useEffect(() => {
    if (typed.trim() !== stored) setTyped(stored);
  }, [stored]);
  function type(next) {
    setTyped(next);
    setQuery({ [name]: next.trim() });
  }
  return [typed, type];
}
