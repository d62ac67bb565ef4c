// @ts-check
// A dialog to choose contacts one by one: from the first ones, or from those that a search finds.
import { html, useState } from "../vendor/preact.js";
import { getPage } from "../lib/api.js";
import { searchContacts } from "../lib/contact-search.js";
import { useLoad, useRested } from "../lib/load.js";
import { common } from "../lib/texts/en/common.js";
import { components } from "../lib/texts/en/components.js";
import { ask } from "./dialog.js";
import { Button, Loaded, Text } from "./parts.js";

const text = components.contactPicker;
/** The API accepts this many contacts in one request. */
const MAX_CONTACTS = 10_000;

/**
 * Resolve with the uids, or undefined if the dialog is dismissed. With `single`, one click chooses and closes.
 * @param {string[]} chosen
 * @param {{single?: boolean}} [options]
 * @returns {Promise<string[] | undefined>}
 */
export function chooseContacts(chosen, { single = false } = {}) {
  return ask(Picker, { label: single ? text.one : text.several, chosen, single });
}

/** @param {Pick<Api["Contact"], "uid"> & Partial<Api["Contact"]>} contact */
export const contactName = (contact) =>
  [contact.firstName, contact.lastName].filter(Boolean).join(" ") || contact.email || contact.phone || contact.externalId || contact.uid;

async function find(word, signal) {
  if (word) return searchContacts(word, signal);
  const page = await getPage("/v1/contacts", { limit: 100 }, signal);
  return { contacts: page.data, hasMore: Boolean(page.nextCursor) };
}

function Picker({ label, chosen, single, close }) {
  const [typed, setTyped] = useState("");
  const word = useRested(typed.trim());
  const [picked, setPicked] = useState(new Set(chosen));
  const found = useLoad((signal) => find(word, signal), [word]);
  function toggle(uid) {
    if (single) return close([uid]);
    const next = new Set(picked);
    if (!next.delete(uid)) next.add(uid);
    setPicked(next);
  }
  return html`<h2>${label}</h2>
    <${Text} name=${text.search} value=${typed} onInput=${setTyped} type="search" autofocus />
    <${Loaded} from=${found} what=${text.what}>${(of) => html`
      ${!single && html`<${Several} of=${of} picked=${picked} setPicked=${setPicked} />`}
      <ul class="picks" tabindex="0" aria-label=${text.list}>${of.contacts.map((each) => html`<li key=${each.uid}><label>
        <input type=${single ? "radio" : "checkbox"} name="contact" checked=${picked.has(each.uid)} onChange=${() => toggle(each.uid)} />
        <span><b>${contactName(each)}</b> <span class="muted">${each.email ?? each.phone ?? ""}</span></span></label></li>`)}</ul>
      ${of.hasMore && html`<p class="muted">${text.more}</p>`}
      ${!of.contacts.length && html`<p class="muted">${word ? text.notFound : text.none}</p>`}`}<//>
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//>
      ${!single && html`<${Button} primary disabled=${picked.size > MAX_CONTACTS} onClick=${() => close([...picked])}>${text.use(picked.size)}<//>`}</div>`;
}

function Several({ of: { contacts }, picked, setPicked }) {
  const isEveryPicked = contacts.length > 0 && contacts.every((each) => picked.has(each.uid));
  const label = isEveryPicked ? text.unselect(contacts.length) : text.select(contacts.length);
  return html`<div class="between">
      <span class="muted" role="status">${text.chosen(picked.size)}${picked.size > MAX_CONTACTS ? text.tooMany(MAX_CONTACTS) : ""}</span>
      <${Button} onClick=${() => setPicked(withAll(picked, contacts, !isEveryPicked))} disabled=${!contacts.length}>${label}<//>
    </div>`;
}

function withAll(picked, contacts, isPicked) {
  const next = new Set(picked);
  for (const each of contacts) {
    if (isPicked) next.add(each.uid);
    else next.delete(each.uid);
  }
  return next;
}
