// The filters of a list under a name of one's own, kept in this browser; a view is an address like any other.
import { html, signal, useState } from "../vendor/preact.js";
import { place, to } from "../lib/router.js";
import { workspace } from "../lib/session.js";
import { deviceStore } from "../lib/store.js";
import { ask } from "./dialog.js";
import { Button, Text } from "./parts.js";

const MOST = 12;
/** Moves when views were kept or dropped. */
const changes = signal(0);

const placeOf = (list) => `views.${workspace.value?.uid}.${list}`;

function readViews(list) {
  try {
    return JSON.parse(deviceStore.read(placeOf(list))) ?? [];
  } catch {
    return [];
  }
}

function writeViews(list, views) {
  deviceStore.write(placeOf(list), JSON.stringify(views));
  changes.value += 1;
}

/** `list` is the first part of the address. */
export function SavedViews({ list }) {
  const views = changes.value >= 0 ? readViews(list) : [];
  const here = to(list, Object.fromEntries(place.value.query));
  const isPlain = here === to(list);
  if (isPlain && !views.length) return null;
  const save = async () => {
    const name = await ask(NameView, { label: "Save this view" });
    if (name) writeViews(list, [...views.filter((each) => each.name !== name), { name, href: here }]);
  };
  return html`<div class="views" role="group" aria-label="Saved views">
    ${views.map((each) => html`<span class="pill" key=${each.name}><a href=${each.href} aria-current=${each.href === here ? "page" : undefined}>${each.name}</a>
      <${Button} quiet class="tiny" aria-label="Forget the view ${each.name}" onClick=${() => writeViews(list, views.filter((other) => other !== each))}>×<//></span>`)}
    ${!isPlain && html`<a href=${to(list)}>All</a>`}
    ${!isPlain && views.length < MOST && !views.some((each) => each.href === here) && html`<${Button} quiet onClick=${save}>Save this view …<//>`}
  </div>`;
}

function NameView({ label, close }) {
  const [name, setName] = useState("");
  return html`<form class="form" onSubmit=${(event) => (event.preventDefault(), close(name.trim()))}><h2>${label}</h2>
    <${Text} name="Name" value=${name} onInput=${setName} required maxlength="40" autofocus help="It is kept in this browser, for this workspace." />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" disabled=${!name.trim()}>Save<//></div></form>`;
}
