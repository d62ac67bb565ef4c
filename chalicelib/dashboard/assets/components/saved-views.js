// @ts-check
// Named filters of a list, stored in this browser. A view is an address of the page.
import { html, signal, useState } from "../vendor/preact.js";
import { place, to } from "../lib/router.js";
import { workspace } from "../lib/session.js";
import { deviceStore } from "../lib/store.js";
import { common } from "../lib/texts/en/common.js";
import { components } from "../lib/texts/en/components.js";
import { ask } from "./dialog.js";
import { Button, Text } from "./parts.js";

const text = components.savedViews;
const MAX_VIEWS = 12;
/** Changes when a view is saved or removed. */
const changes = signal(0);

const storeName = (list) => `views.${workspace.value?.uid}.${list}`;

/** @returns {{name: string, href: string}[]} */
function readViews(list) {
  try {
    return JSON.parse(deviceStore.read(storeName(list)) ?? "[]") ?? [];
  } catch {
    return [];
  }
}

function writeViews(list, views) {
  deviceStore.write(storeName(list), JSON.stringify(views));
  changes.value += 1;
}

/** @param {{list: string}} props `list` is the first part of the address */
export function SavedViews({ list }) {
  const views = changes.value >= 0 ? readViews(list) : [];
  const here = to(list, Object.fromEntries(place.value.query));
  const isPlain = here === to(list);
  if (isPlain && !views.length) return null;
  const canSave = !isPlain && views.length < MAX_VIEWS && !views.some((each) => each.href === here);
  const save = async () => {
    const name = await ask(NameView, { label: text.title });
    if (name) writeViews(list, [...views.filter((each) => each.name !== name), { name, href: here }]);
  };
  return html`<div class="views" role="group" aria-label=${text.label}>
    ${views.map((each) => html`<span class="pill" key=${each.name}><a href=${each.href} aria-current=${each.href === here ? "page" : undefined}>${each.name}</a>
      <${Button} quiet class="tiny" aria-label=${text.remove(each.name)} onClick=${() => writeViews(list, views.filter((other) => other !== each))}>×<//></span>`)}
    ${!isPlain && html`<a href=${to(list)}>${common.all}</a>`}
    ${canSave && html`<${Button} quiet onClick=${save}>${text.save}<//>`}
  </div>`;
}

function NameView({ label, close }) {
  const [name, setName] = useState("");
  return html`<form class="form" onSubmit=${(event) => (event.preventDefault(), close(name.trim()))}><h2>${label}</h2>
    <${Text} name=${text.name} value=${name} onInput=${setName} required maxlength="40" autofocus help=${text.help} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" disabled=${!name.trim()}>${common.save}<//></div></form>`;
}
