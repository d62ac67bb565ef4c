// All templates.
import { html, useEffect, useState } from "../vendor/preact.js";
import { useAction, useOnce, usePages, useRested } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, place, setQuery, to, useTyped } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { title } from "../lib/words.js";
import { ask } from "../components/dialog.js";
import { Button, Choice, Empty, Loaded, More, Page, Problem, Status, Table, Text, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";

const askNew = () => ask(NewTemplate, { label: "New template" });

export function Screen() {
  const query = place.value.query;
  const [typed, setTyped] = useTyped("name");
  const name = useRested(typed.trim());
  const [status, channelType] = ["status", "channelType"].map((each) => query.get(each) ?? "");
  const templates = usePages("/v1/templates", { name, status, channelType, limit: 50 });
  useEffect(() => {
    readNames("channelTypes");
  }, []);
  return html`<${Page} name="Templates" actions=${html`<${Button} primary onClick=${askNew}>New template<//>`}>
    <div class="filters">
      <${Text} name="Name" type="search" value=${typed} onInput=${setTyped} />
      <${Choice} name="Status" value=${status} options=${[["", "All"], ["DRAFT"], ["PUBLISHED"], ["REJECTED"]]} onChange=${(next) => setQuery({ status: next })} />
      <${Choice} name="Channel type" value=${channelType} options=${[["", "All"], ...[...names.value.channelTypes.keys()].map((each) => [each, nameOf(each)])]} onChange=${(next) => setQuery({ channelType: next })} />
    </div>
    <${SavedViews} list="templates" />
    <${Loaded} from=${templates} what="The list of templates">${(rows) => html`
      ${rows.length > 0 && html`<${Table} label="Templates" rows=${rows} columns=${COLUMNS} />`}
      ${!rows.length && (name || status || channelType
        ? html`<p class="muted">No template fits.</p>`
        : html`<${Empty} name="No templates yet" action=${html`<${Button} primary onClick=${askNew}>New template<//>`}>A template is the text of a message, with places for what differs between contacts.<//>`)}
      <${More} from=${templates} />`}<//>
  <//>`;
}

const COLUMNS = [
  { name: "Name", cell: (row) => html`<a class="title" href=${to("templates", row.uid)}>${row.name}</a><div class="sub">${row.content.subject ?? row.content.text}</div>` },
  { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
  { name: "Channel type", class: "less", cell: (row) => nameOf(row.channelType) },
  { name: "For", class: "less", cell: (row) => title(row.messageType) },
  { name: "Version", class: "less tight", cell: (row) => (row.latestVersion ? `v${row.latestVersion}${row.draftChanged ? " +" : ""}` : "–") },
  { name: "Changed", class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

/** Every required field needs something to begin with, as the API takes no empty ones. */
const FIRST_WORDS = { subject: "Hello {{ first_name }}" };
const FIRST_TEXT = "Hello {{ first_name }},\n\nwhat you have to say goes here.\n";

function firstContent(schema) {
  const wanted = new Set([...(schema.required ?? []), ...("text" in schema.properties ? ["text"] : [])]);
  return Object.fromEntries([...wanted].map((name) => [name, FIRST_WORDS[name] ?? FIRST_TEXT]));
}

function NewTemplate({ close }) {
  const types = names.value.channelTypes;
  const [name, setName] = useState("");
  const [chosen, setType] = useState("");
  // The types may come after the dialog.
  const channelType = chosen || (types.has("email") ? "email" : ([...types.keys()][0] ?? ""));
  const [messageType, setMessageType] = useState("MESSAGE");
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const content = firstContent(types.get(channelType).content);
    const made = await send("/v1/templates", { name: name.trim(), channelType, messageType, content, parameterDefaults: { first_name: "friend" } });
    close(made);
    go("templates", made.uid);
  });
  return html`<form class="form" onSubmit=${create}><h2>New template</h2>
    <${Text} name="Name" value=${name} onInput=${setName} required maxlength="200" autofocus problem=${error?.at?.("name")} />
    <${Choice} name="Channel type" value=${channelType} options=${[...types.keys()].map((each) => [each, nameOf(each)])} onChange=${setType} />
    <${Choice} name="For" value=${messageType} onChange=${setMessageType} help="A newsletter goes only to those who agreed to it."
      options=${[["MESSAGE", "A message about something that they did"], ["NEWSLETTER", "A newsletter"], ["CONVERSATION", "An answer in a conversation"]]} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy} disabled=${!name.trim() || !channelType}>Create<//></div></form>`;
}
