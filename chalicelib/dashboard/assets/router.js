// Where the page is, as the URL says it: #/campaigns/…?state=RUNNING. Filters live in the URL too.
import { signal, useEffect, useState } from "./vendor.js";

export const place = signal(read());

function read() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

addEventListener("hashchange", () => {
  place.value = read();
});

/** An address: `to("campaigns", uid)`, `to("flows", {status: "running"})`. */
export function to(...parts) {
  const query = typeof parts.at(-1) === "object" ? parts.pop() : {};
  const given = Object.entries(query).filter(([, value]) => value);
  const text = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export function go(...parts) {
  location.hash = to(...parts);
}

/** Changes the query of this place without a step in the history. */
export function setQuery(changes) {
  const query = { ...Object.fromEntries(place.value.query), ...changes };
  const hash = to(...place.value.path, query);
  history.replaceState(null, "", new URL(hash, location.href));
  place.value = read();
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
