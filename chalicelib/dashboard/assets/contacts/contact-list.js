// Contacts: a list, a search, a new one, and the way to the import.
import { html, useState } from "../vendor/preact.js";
import { searchContacts } from "../lib/contact-search.js";
import { useAction, useLoad, useOnce, usePages, useRested } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { go, to, useTyped } from "../lib/router.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { contactName } from "../components/contact-picker.js";
import { ask } from "../components/dialog.js";
import { askExport } from "../components/export-dialog.js";
import { Button, Empty, Loaded, More, Page, Problem, say, Status, Table, Tags, Text } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";

export function Screen() {
  const [typed, setTyped] = useTyped("q");
  const wanted = useRested(typed.trim());
  const actions = html`<${Button} quiet onClick=${() => askExport({ of: "contacts" }, "contacts")}>Export …<//><a class="button" href=${to("import")}>Import</a><${Button} primary onClick=${() => ask(NewContact, { label: "New contact" })}>New contact<//>`;
  return html`<${Page} name="Contacts" actions=${actions}>
    <div class="filters"><div class="field search"><${Text} name="Search" type="search" value=${typed} placeholder="Name, address, id or tag" onInput=${setTyped} /></div></div>
    <${SavedViews} list="contacts" />
    ${wanted ? html`<${Found} wanted=${wanted} />` : html`<${Everybody} />`}
  <//>`;
}

function Everybody() {
  const contacts = usePages("/v1/contacts", { limit: 50 });
  return html`<${Loaded} from=${contacts} what="The list of contacts">${(rows) => html`
    ${rows.length ? html`<${Table} label="Contacts" rows=${rows} columns=${COLUMNS} />`
      : html`<${Empty} name="No contacts yet" action=${html`<a class="button primary" href=${to("import")}>Import a CSV file</a>`}>Contacts are the people whom campaigns write to.<//>`}
    <${More} from=${contacts} />`}<//>`;
}

function Found({ wanted }) {
  const found = useLoad((signal) => searchContacts(wanted, signal), [wanted]);
  return html`<${Loaded} from=${found} what="The search">${({ contacts, hasMore }) => html`
    <p class="muted found" role="status">${hasMore ? `More than ${count(contacts.length)} contacts` : plural(contacts.length, CONTACT)} found</p>
    ${contacts.length > 0 && html`<${Table} label="Contacts" rows=${contacts} columns=${COLUMNS} />`}`}<//>`;
}

const COLUMNS = [
  { name: "Name", cell: (row) => html`<a class="title" href=${to("contacts", row.uid)}>${contactName(row)}</a><div class="sub">${row.externalId}</div>` },
  { name: "E-mail", cell: (row) => row.email ?? html`<span class="muted">–</span>` },
  { name: "Phone", class: "less", cell: (row) => row.phone ?? html`<span class="muted">–</span>` },
  { name: "Tags", class: "less", cell: (row) => html`<${Tags} of=${row.tags} />` },
  { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
];

const FIELDS = [["email", "E-mail"], ["phone", "Phone"], ["firstName", "First name"], ["lastName", "Last name"], ["externalId", "Your own id"]];

function NewContact({ close }) {
  const [fields, setFields] = useState({});
  const send = useOnce();
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim()));
    const saved = await send("/v1/contacts", given);
    close(saved);
    say("Contact saved");
    go("contacts", saved.uid);
  });
  return html`<form class="form" onSubmit=${save}><h2>New contact</h2>
    <p class="muted">If somebody with this id, e-mail or phone is there already, they are changed.</p>
    ${FIELDS.map(([name, words]) => html`<${Text} key=${name} name=${words} value=${fields[name]} problem=${error?.at?.(name)} onInput=${(next) => setFields({ ...fields, [name]: next })} />`)}
    ${!FIELDS.some(([name]) => error?.at?.(name)) && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Save<//></div></form>`;
}
