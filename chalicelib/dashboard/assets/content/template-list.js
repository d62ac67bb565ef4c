// @ts-check
// The list of all templates.
import { html, useEffect, useState } from "../vendor/preact.js";
import { useAction, useOnce, usePages, useRested } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, place, setQuery, to, useTyped } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { common } from "../lib/texts/en/common.js";
import { content } from "../lib/texts/en/content.js";
import { ask } from "../components/dialog.js";
import { Button, Choice, Empty, Loaded, More, Page, Problem, Status, Table, Text, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";

const text = content.list;
const askNew = () => ask(NewTemplate, { label: text.create });
const newButton = () => html`<${Button} primary onClick=${askNew}>${text.create}<//>`;
const STATUSES = ["DRAFT", "PUBLISHED", "REJECTED"];

export function Screen() {
  const query = place.value.query;
  const [typed, setTyped] = useTyped("name");
  const name = useRested(typed.trim());
  const [status, channelType] = ["status", "channelType"].map((each) => query.get(each) ?? "");
  const templates = usePages("/v1/templates", { name, status, channelType, limit: 50 });
  useEffect(() => {
    readNames("channelTypes");
  }, []);
  const types = [...names.value.channelTypes.keys()].map((each) => [each, nameOf(each)]);
  return html`<${Page} name=${text.title} actions=${newButton()}>
    <div class="filters">
      <${Text} name=${text.name} type="search" value=${typed} onInput=${setTyped} />
      <${Choice} name=${text.status} value=${status} options=${[["", common.all], ...STATUSES.map((each) => [each])]} onChange=${(next) => setQuery({ status: next })} />
      <${Choice} name=${text.channelType} value=${channelType} options=${[["", common.all], ...types]} onChange=${(next) => setQuery({ channelType: next })} />
    </div>
    <${SavedViews} list="templates" />
    <${Loaded} from=${templates} what=${text.what}>${(rows) => html`
      ${rows.length > 0 && html`<${Table} label=${text.title} rows=${rows} columns=${COLUMNS} />`}
      ${!rows.length && (name || status || channelType ? html`<p class="muted">${text.noMatch}</p>` : html`<${Empty} name=${text.empty.title} action=${newButton()}>${text.empty.text}<//>`)}
      <${More} from=${templates} />`}<//>
  <//>`;
}

/** @type {import("../components/parts.js").Column[]} */
const COLUMNS = [
  { name: text.columns.name, cell: (row) => html`<a class="title" href=${to("templates", row.uid)}>${row.name}</a><div class="sub">${row.content.subject ?? row.content.text}</div>` },
  { name: text.columns.status, class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
  { name: text.columns.channelType, class: "less", cell: (row) => nameOf(row.channelType) },
  { name: text.columns.messageType, class: "less", cell: (row) => nameOf(row.messageType) },
  { name: text.columns.version, class: "less tight", cell: (row) => (row.latestVersion ? `${common.version(row.latestVersion)}${row.draftChanged ? " +" : ""}` : common.none) },
  { name: text.columns.changed, class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

function firstContent(schema) {
  const required = new Set([...(schema.required ?? []), ...("text" in schema.properties ? ["text"] : [])]);
  return Object.fromEntries([...required].map((name) => [name, name === "subject" ? content.create.firstSubject : content.create.firstText]));
}

function NewTemplate({ label, close }) {
  const words = content.create;
  const types = names.value.channelTypes;
  const [name, setName] = useState("");
  const [chosen, setType] = useState("");
  // The channel types may be loaded after the dialog opens.
  const channelType = chosen || (types.has("email") ? "email" : ([...types.keys()][0] ?? ""));
  const [messageType, setMessageType] = useState("MESSAGE");
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const first = firstContent(types.get(channelType).content);
    const created = await send("/v1/templates", { name: name.trim(), channelType, messageType, content: first, parameterDefaults: { first_name: "friend" } });
    close(created);
    go("templates", created.uid);
  });
  return html`<form class="form" onSubmit=${create}><h2>${label}</h2>
    <${Text} name=${text.name} value=${name} onInput=${setName} required maxlength="200" autofocus problem=${error?.at("name")} />
    <${Choice} name=${text.channelType} value=${channelType} options=${[...types.keys()].map((each) => [each, nameOf(each)])} onChange=${setType} />
    <${Choice} name=${words.messageType} value=${messageType} onChange=${setMessageType} help=${words.help} options=${words.messageTypes} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy} disabled=${!name.trim() || !channelType}>${common.create}<//></div></form>`;
}
