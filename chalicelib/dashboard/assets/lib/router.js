// The current place of the page, read from the URL: #/campaigns/…?state=RUNNING. Filters are part of the URL.
import { signal, useEffect, useState } from "../vendor/preact.js";
import { readAddress, to } from "./address.js";

export { to };

export const place = signal(readAddress(location.hash));

addEventListener("hashchange", () => {
  place.value = readAddress(location.hash);
});

export function go(...parts) {
  location.hash = to(...parts);
}

/** Changes the query of this place without a step in the history. */
export function setQuery(changes) {
  const query = { ...Object.fromEntries(place.value.query), ...changes };
  const hash = to(...place.value.path, query);
  history.replaceState(null, "", new URL(hash, location.href));
  place.value = readAddress(location.hash);
}

/** A text of the query while it is typed: the address follows each key, and the text follows the address. */
export function useTyped(name) {
  const asked = place.value.query.get(name) ?? "";
  const [typed, setTyped] = useState(asked);
  useEffect(() => {
    if (typed.trim() !== asked) setTyped(asked);
  }, [asked]);
  function type(next) {
    setTyped(next);
    setQuery({ [name]: next.trim() });
  }
  return [typed, type];
}
