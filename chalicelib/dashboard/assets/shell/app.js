// The shell: navigation, the screen that the address names, dialogs and notes.
import { html, signal, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { screenOf } from "../lib/address.js";
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

function skip(event) {
  event.preventDefault();
  document.querySelector("main h1")?.focus();
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

/** Loads the module of a screen when it is first gone to. */
function CurrentScreen({ path }) {
  const rest = path.slice(1);
  const name = screenOf(path);
  const [loaded, setLoaded] = useState({});
  const before = useRef(null);
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
  // At once: what is asked on the new screen is not one of the old one's questions.
  useLayoutEffect(() => {
    if (before.current !== null && before.current !== where) dismiss();
  }, [where]);
  useLayoutEffect(() => {
    if (loaded.name !== name) return;
    // Not at the first screen: then the focus belongs to the browser.
    if (before.current !== null && before.current !== where) {
      document.querySelector("main h1")?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    before.current = where;
  }, [where, loaded.name]);
  if (!SCREENS[name]) return html`<div class="page"><h1>${shell.notFound.title}</h1><p><a href=${to("overview")}>${shell.notFound.link}</a></p></div>`;
  if (loaded.name !== name) return null;
  if (loaded.error) {
    // After a deployment an open page asks for modules under names that are gone.
    return html`<div class="page"><${Problem} of=${new Error(shell.notLoaded)}
      again=${() => location.reload()} /></div>`;
  }
  return html`<${loaded.Screen} key=${where} path=${rest} />`;
}
