// A dialog to choose contacts one by one, by what is loaded of them.
import { html, useState } from "./vendor.js";
import { getAll } from "./api.js";
import { ask } from "./dialog.js";
import { useLoad } from "./load.js";
import { Button, Loaded, Text } from "./parts.js";
import { count, plural } from "./words.js";

/** What one call of the API takes. */
const MOST = 10_000;

/** Resolves with the uids, or undefined when dismissed. `single` ends with the first. */
export function chooseContacts(chosen, { single = false } = {}) {
  return ask(Picker, { label: single ? "Choose a contact" : "Choose contacts", chosen, single });
}

export const contactName = (contact) =>
  [contact.firstName, contact.lastName].filter(Boolean).join(" ") || contact.email || contact.phone || contact.externalId || contact.uid;

function Picker({ label, chosen, single, close }) {
  const [wanted, setWanted] = useState("");
  const [picked, setPicked] = useState(new Set(chosen));
  const contacts = useLoad((signal) => getAll("/v1/contacts", {}, MOST, signal), []);
  const fits = (contact) => {
    const text = `${contactName(contact)} ${contact.email ?? ""} ${contact.phone ?? ""} ${contact.externalId ?? ""} ${contact.tags.join(" ")}`;
    return text.toLowerCase().includes(wanted.trim().toLowerCase());
  };
  function toggle(uid) {
    if (single) return close([uid]);
    const next = new Set(picked);
    if (!next.delete(uid)) next.add(uid);
    setPicked(next);
  }
  return html`<h2>${label}</h2>
    <${Text} name="Name, address or tag" value=${wanted} onInput=${setWanted} type="search" />
    <${Loaded} from=${contacts} what="The list of contacts">${(all) => {
      const fitting = all.filter(fits);
      const shown = fitting.slice(0, 200);
      const every = fitting.length > 0 && fitting.every((each) => picked.has(each.uid));
      return html`${!single && html`<div class="between">
          <span class="muted">${count(picked.size)} chosen</span>
          <${Button} onClick=${() => setPicked(withAll(picked, fitting, !every))} disabled=${!fitting.length}>${every ? "Unselect" : "Select"} ${wanted ? "these" : "all"} ${count(fitting.length)}<//>
        </div>`}
        <ul class="picks" tabindex="0" aria-label="Contacts">${shown.map((each) => html`<li key=${each.uid}><label>
          <input type=${single ? "radio" : "checkbox"} name="contact" checked=${picked.has(each.uid)} onChange=${() => toggle(each.uid)} />
          <span><b>${contactName(each)}</b> <span class="muted">${each.email ?? each.phone ?? ""}</span></span></label></li>`)}</ul>
        ${fitting.length > shown.length && html`<p class="muted">${plural(fitting.length - shown.length, "more contact")}: narrow the search to see them.</p>`}
        ${!all.length && html`<p class="muted">There are no contacts yet.</p>`}`;
    }}<//>
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//>
      ${!single && html`<${Button} primary onClick=${() => close([...picked])}>Use ${plural(picked.size, "contact")}<//>`}</div>`;
}

function withAll(picked, list, wanted) {
  const next = new Set(picked);
  for (const each of list) wanted ? next.add(each.uid) : next.delete(each.uid);
  return next;
}
