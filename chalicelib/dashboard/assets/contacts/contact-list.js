// @ts-check
// Contacts: the list, the search, a new contact, and the link to the import.
import { html, useState } from "../vendor/preact.js";
import { searchContacts } from "../lib/contact-search.js";
import { useAction, useLoad, useOnce, usePages, useRested } from "../lib/load.js";
import { go, to, useTyped } from "../lib/router.js";
import { common } from "../lib/texts/en/common.js";
import { contacts } from "../lib/texts/en/contacts.js";
import { contactName } from "../components/contact-picker.js";
import { ask } from "../components/dialog.js";
import { askExport } from "../components/export-dialog.js";
import { Button, Empty, Loaded, More, Page, Problem, say, Status, Table, Tags, Text } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";

const text = contacts.list;

export function Screen() {
  const [typed, setTyped] = useTyped("q");
  const word = useRested(typed.trim());
  const actions = html`<${Button} quiet onClick=${() => askExport({ of: "contacts" }, text.exported)}>${text.export}<//>
    <a class="button" href=${to("import")}>${text.import}</a><${Button} primary onClick=${() => ask(NewContact, { label: text.create })}>${text.create}<//>`;
  return html`<${Page} name=${text.title} actions=${actions}>
    <div class="filters"><div class="field search"><${Text} name=${text.search} type="search" value=${typed} placeholder=${text.searchExample} onInput=${setTyped} /></div></div>
    <${SavedViews} list="contacts" />
    ${word ? html`<${Found} word=${word} />` : html`<${All} />`}
  <//>`;
}

function All() {
  const found = usePages("/v1/contacts", { limit: 50 });
  return html`<${Loaded} from=${found} what=${text.what}>${(rows) => html`
    ${rows.length ? html`<${Table} label=${text.title} rows=${rows} columns=${COLUMNS} />`
      : html`<${Empty} name=${text.empty.title} action=${html`<a class="button primary" href=${to("import")}>${text.empty.link}</a>`}>${text.empty.text}<//>`}
    <${More} from=${found} />`}<//>`;
}

function Found({ word }) {
  const found = useLoad((signal) => searchContacts(word, signal), [word]);
  return html`<${Loaded} from=${found} what=${text.whatSearch}>${(of) => html`
    <p class="muted found" role="status">${text.found(of.contacts.length, of.hasMore)}</p>
    ${of.contacts.length > 0 && html`<${Table} label=${text.title} rows=${of.contacts} columns=${COLUMNS} />`}`}<//>`;
}

const orNone = (value) => value ?? html`<span class="muted">${common.none}</span>`;

/** @type {import("../components/parts.js").Column[]} */
const COLUMNS = [
  { name: text.columns.name, cell: (row) => html`<a class="title" href=${to("contacts", row.uid)}>${contactName(row)}</a><div class="sub">${row.externalId}</div>` },
  { name: text.columns.email, cell: (row) => orNone(row.email) },
  { name: text.columns.phone, class: "less", cell: (row) => orNone(row.phone) },
  { name: text.columns.tags, class: "less", cell: (row) => html`<${Tags} of=${row.tags} />` },
  { name: text.columns.status, class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
];

function NewContact({ label, close }) {
  const { lead, fields: names, saved } = contacts.create;
  const [fields, setFields] = useState(/** @type {Record<string, string>} */ ({}));
  const send = useOnce();
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const filled = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim()));
    const contact = await send("/v1/contacts", filled);
    close(contact);
    say(saved);
    go("contacts", contact.uid);
  });
  return html`<form class="form" onSubmit=${save}><h2>${label}</h2>
    <p class="muted">${lead}</p>
    ${names.map(([name, words]) => html`<${Text} key=${name} name=${words} value=${fields[name]} problem=${error?.at(name)} onInput=${(next) => setFields({ ...fields, [name]: next })} />`)}
    ${!names.some(([name]) => error?.at(name)) && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy}>${common.save}<//></div></form>`;
}
