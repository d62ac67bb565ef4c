// A dialog to choose contacts one by one: the first of them, or those that a search finds.
import { html, useState } from "../vendor/preact.js";
import { getPage } from "../lib/api.js";
import { searchContacts } from "../lib/contact-search.js";
import { useLoad, useRested } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { ask } from "./dialog.js";
import { Button, Loaded, Text } from "./parts.js";

/** What one call of the API takes. */
const MOST = 10_000;

/** Resolves with the uids, or undefined when dismissed. `single` ends with the first. */
export function chooseContacts(chosen, { single = false } = {}) {
  return ask(Picker, { label: single ? "Choose a contact" : "Choose contacts", chosen, single });
}

export const contactName = (contact) =>
  [contact.firstName, contact.lastName].filter(Boolean).join(" ") || contact.email || contact.phone || contact.externalId || contact.uid;

async function find(wanted, signal) {
  if (wanted) return searchContacts(wanted, signal);
  const page = await getPage("/v1/contacts", { limit: 100 }, signal);
  return { contacts: page.data, hasMore: Boolean(page.nextCursor) };
}

function Picker({ label, chosen, single, close }) {
  const [typed, setTyped] = useState("");
  const wanted = useRested(typed.trim());
  const [picked, setPicked] = useState(new Set(chosen));
  const found = useLoad((signal) => find(wanted, signal), [wanted]);
  function toggle(uid) {
    if (single) return close([uid]);
    const next = new Set(picked);
    if (!next.delete(uid)) next.add(uid);
    setPicked(next);
  }
  return html`<h2>${label}</h2>
    <${Text} name="Name, address or tag" value=${typed} onInput=${setTyped} type="search" autofocus />
    <${Loaded} from=${found} what="The list of contacts">${(of) => html`
      ${!single && html`<${Several} of=${of} picked=${picked} setPicked=${setPicked} />`}
      <ul class="picks" tabindex="0" aria-label="Contacts">${of.contacts.map((each) => html`<li key=${each.uid}><label>
        <input type=${single ? "radio" : "checkbox"} name="contact" checked=${picked.has(each.uid)} onChange=${() => toggle(each.uid)} />
        <span><b>${contactName(each)}</b> <span class="muted">${each.email ?? each.phone ?? ""}</span></span></label></li>`)}</ul>
      ${of.hasMore && html`<p class="muted">There are more: search to see them. To reach very many, make a segment.</p>`}
      ${!of.contacts.length && html`<p class="muted">${wanted ? "Nobody is found." : "There are no contacts yet."}</p>`}`}<//>
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//>
      ${!single && html`<${Button} primary disabled=${picked.size > MOST} onClick=${() => close([...picked])}>Use ${plural(picked.size, CONTACT)}<//>`}</div>`;
}

function Several({ of: { contacts }, picked, setPicked }) {
  const every = contacts.length > 0 && contacts.every((each) => picked.has(each.uid));
  return html`<div class="between">
      <span class="muted" role="status">${count(picked.size)} chosen${picked.size > MOST ? `, ${count(MOST)} at most: make a segment` : ""}</span>
      <${Button} onClick=${() => setPicked(withAll(picked, contacts, !every))} disabled=${!contacts.length}>${every ? "Unselect" : "Select"} these ${count(contacts.length)}<//>
    </div>`;
}

function withAll(picked, list, wanted) {
  const next = new Set(picked);
  for (const each of list) wanted ? next.add(each.uid) : next.delete(each.uid);
  return next;
}
