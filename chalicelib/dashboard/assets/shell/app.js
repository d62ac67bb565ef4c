// @ts-check
// The shell: navigation, the screen that the address names, dialogs and notes.
import { html, signal, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { screenOf } from "../lib/address.js";
import { ApiError } from "../lib/api.js";
import { place, to } from "../lib/router.js";
import { expired, signOut, workspace } from "../lib/session.js";
import { deviceStore } from "../lib/store.js";
import { shell } from "../lib/texts/en/shell.js";
import { Dialogs, dismiss, isAsking } from "../components/dialog.js";
import { Icon } from "../components/icons.js";
import { Button, Notes, Problem } from "../components/parts.js";
import { SCREENS } from "./screens.js";
import { SignInAgain } from "./sign-in.js";

const text = shell.navigation;

const menuOpen = signal(false);

export function App() {
  const path = place.value.path.length ? place.value.path : ["overview"];
  return html`<div class="shell">
      <${Navigation} chosen=${path[0] === "import" ? "contacts" : path[0]} />
      <main id="main"><${CurrentScreen} path=${path} /></main>
    </div>
    <${Dialogs} />${!isAsking.value && html`<${Notes} />`}
    ${expired.value && html`<${SignInAgain} />`}`;
}

/** @param {FocusOptions} [options] */
function focusHeading(options) {
  const heading = document.querySelector("main h1");
  if (heading instanceof HTMLElement) heading.focus(options);
}

function skip(event) {
  event.preventDefault();
  focusHeading();
}

function Navigation({ chosen }) {
  return html`<header class="side ${menuOpen.value ? "is-open" : ""}">
    <a class="skip" href=${location.hash} onClick=${skip}>${text.skip}</a>
    <div class="side-head">
      <a class="brand" href=${to("overview")}>carillon<b>.</b></a>
      <button class="icon-button menu-button" aria-expanded=${menuOpen.value ? "true" : "false"} aria-controls="navigation"
        aria-label=${text.menu} onClick=${() => (menuOpen.value = !menuOpen.value)}><${Icon} name="menu" /></button>
    </div>
    <div class="side-body" id="navigation">
      <nav aria-label=${text.label}>
        ${Object.entries(text.screens).map(([id, name]) => html`<a href=${to(id)} aria-current=${id === chosen ? "page" : undefined}
          onClick=${() => (menuOpen.value = false)}>${name}</a>`)}
      </nav>
      <div class="side-foot">
        <span class="workspace" title=${workspace.value?.uid}>${workspace.value?.name}</span>
        <span class="side-actions">
          <${Theme} />
          <${Button} quiet onClick=${signOut}>${text.signOut}<//>
        </span>
      </div>
    </div>
  </header>`;
}

const THEMES = { "": "light", light: "dark", dark: "" };

function Theme() {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme || "");
  function change() {
    const next = THEMES[theme];
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    deviceStore.write("theme", next || null);
    setTheme(next);
  }
  const words = text.theme[theme];
  return html`<button class="icon-button" aria-label=${words} title=${words} onClick=${change}><${Icon} name="theme" /></button>`;
}

/**
 * Load the module of a screen at its first visit, and show the screen.
 * @param {{path: string[]}} props
 */
function CurrentScreen({ path }) {
  const rest = path.slice(1);
  const name = screenOf(path);
  const [loaded, setLoaded] = useState(/** @type {{name?: string, Screen?: any, error?: unknown}} */ ({}));
  const before = useRef(/** @type {string | null} */ (null));
  useEffect(() => {
    let isCurrent = true;
    const load = SCREENS[name];
    const set = (found) => isCurrent && setLoaded({ name, ...found });
    if (load) load().then((module) => set({ Screen: module.Screen }), (error) => set({ error }));
    return () => {
      isCurrent = false;
    };
  }, [name]);
  const where = path.join("/");
  // A layout effect dismisses the dialog of the old screen before the new screen can open one.
  useLayoutEffect(() => {
    if (before.current !== null && before.current !== where) dismiss();
  }, [where]);
  useLayoutEffect(() => {
    if (loaded.name !== name) return;
    // The first screen keeps the focus that the browser set.
    if (before.current !== null && before.current !== where) {
      focusHeading({ preventScroll: true });
      scrollTo(0, 0);
    }
    before.current = where;
  }, [where, loaded.name]);
  if (!SCREENS[name]) return html`<div class="page"><h1>${shell.notFound.title}</h1><p><a href=${to("overview")}>${shell.notFound.link}</a></p></div>`;
  if (loaded.name !== name) return null;
  if (loaded.error) {
    // After a deployment an open page requests modules by names that no longer exist.
    return html`<div class="page"><${Problem} of=${new ApiError(0, { message: shell.notLoaded })}
      again=${() => location.reload()} /></div>`;
  }
  return html`<${loaded.Screen} key=${where} path=${rest} />`;
}
