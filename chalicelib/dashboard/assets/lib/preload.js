// @ts-check
// Preloads the modules and style sheets of a screen: of the one in the address when the page starts, and of each link
// that the pointer or the focus reaches. Without it, every import of an import costs one more round trip.
import { readAddress, screenOf } from "./address.js";
import { useSheet } from "./sheets.js";

const meta = document.querySelector("meta[name=closures]");
/** @type {Record<string, string[]>} Screen → names of the files that it needs beyond the first view, as written by files.py. */
const closures = JSON.parse(meta?.getAttribute("content") ?? "{}");
const requested = new Set();

/** @param {string} address */
function preload(address) {
  for (const name of closures[screenOf(readAddress(address).path)] ?? []) {
    if (requested.has(name)) continue;
    requested.add(name);
    const href = import.meta.resolve(`./${name}`);
    if (name.endsWith(".css")) useSheet(href);
    else document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  }
}

/** @param {Event} event */
function preloadLink({ target }) {
  const link = target instanceof Element ? target.closest('a[href^="#/"]') : null;
  if (link) preload(link.getAttribute("href") ?? "");
}

preload(location.hash);
document.addEventListener("pointerover", preloadLink, { passive: true });
document.addEventListener("focusin", preloadLink);
