// All segments: saved filters over contacts.
import { html, useState } from "../vendor/preact.js";
import { useAction, useOnce, usePages } from "../lib/load.js";
import { go, to } from "../lib/router.js";
import { ask } from "../components/dialog.js";
import { Button, Empty, Loaded, More, Page, Problem, Table, Text, Time } from "../components/parts.js";

const askNew = () => ask(NewSegment, { label: "New segment" });

export function Screen() {
  const segments = usePages("/v1/segments", { limit: 50 });
  const isThere = !segments.error?.isMissingRoute;
  return html`<${Page} name="Segments" actions=${isThere && html`<${Button} primary onClick=${askNew}>New segment<//>`}>
    <${Loaded} from=${segments} what="Segments: this part">${(rows) => html`
      ${rows.length ? html`<${Table} label="Segments" rows=${rows} columns=${COLUMNS} />`
        : html`<${Empty} name="No segments yet" action=${html`<${Button} primary onClick=${askNew}>New segment<//>`}>A segment finds contacts by what they are and did, each time that it is used.<//>`}
      <${More} from=${segments} />`}<//>
  <//>`;
}

const COLUMNS = [
  { name: "Name", cell: (row) => html`<a class="title" href=${to("segments", row.uid)}>${row.name}</a>` },
  { name: "Description", class: "less", cell: (row) => row.description },
  { name: "Changed", class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

function NewSegment({ close }) {
  const [name, setName] = useState("");
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const made = await send("/v1/segments", { name: name.trim(), filter: { field: "email", op: "exists" } });
    close(made);
    go("segments", made.uid);
  });
  return html`<form class="form" onSubmit=${create}><h2>New segment</h2>
    <${Text} name="Name" value=${name} onInput=${setName} required maxlength="200" autofocus />
    <${Problem} of=${error} what="Segments: this part" />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy} disabled=${!name.trim()}>Create<//></div></form>`;
}
