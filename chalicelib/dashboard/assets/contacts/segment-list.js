// @ts-check
// The list of all segments.
import { html, useState } from "../vendor/preact.js";
import { useAction, useOnce, usePages } from "../lib/load.js";
import { go, to } from "../lib/router.js";
import { common } from "../lib/texts/en/common.js";
import { contacts } from "../lib/texts/en/contacts.js";
import { ask } from "../components/dialog.js";
import { Button, Empty, Loaded, More, Page, Problem, Table, Text, Time } from "../components/parts.js";

const text = contacts.segments;
const askNew = () => ask(NewSegment, { label: text.create });
const newButton = () => html`<${Button} primary onClick=${askNew}>${text.create}<//>`;

export function Screen() {
  const segments = usePages("/v1/segments", { limit: 50 });
  const exists = !segments.error?.isMissingRoute;
  return html`<${Page} name=${text.title} actions=${exists && newButton()}>
    <${Loaded} from=${segments} what=${text.what}>${(rows) => html`
      ${rows.length ? html`<${Table} label=${text.title} rows=${rows} columns=${COLUMNS} />` : html`<${Empty} name=${text.empty.title} action=${newButton()}>${text.empty.text}<//>`}
      <${More} from=${segments} />`}<//>
  <//>`;
}

/** @type {import("../components/parts.js").Column[]} */
const COLUMNS = [
  { name: text.columns.name, cell: (row) => html`<a class="title" href=${to("segments", row.uid)}>${row.name}</a>` },
  { name: text.columns.description, class: "less", cell: (row) => row.description },
  { name: text.columns.changed, class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

function NewSegment({ label, close }) {
  const [name, setName] = useState("");
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const created = await send("/v1/segments", { name: name.trim(), filter: { field: "email", op: "exists" } });
    close(created);
    go("segments", created.uid);
  });
  return html`<form class="form" onSubmit=${create}><h2>${label}</h2>
    <${Text} name=${text.name} value=${name} onInput=${setName} required maxlength="200" autofocus />
    <${Problem} of=${error} what=${text.what} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy} disabled=${!name.trim()}>${common.create}<//></div></form>`;
}
