// All channels: the ways to reach people.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useAction, useLoad, useOnce, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count, money } from "../lib/numbers.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { workspace } from "../lib/session.js";
import { ask } from "../components/dialog.js";
import { blankFor, SchemaForm } from "../components/field.js";
import { Button, Choice, Empty, Loaded, More, Page, Problem, Status, Table, Text } from "../components/parts.js";

const LIVE_MS = 15_000;
const MOST_LOOKED_AT = 50;
const AT_ONCE = 4;
const askNew = () => ask(NewChannel, { label: "New channel" });

export function Screen() {
  const channels = usePages("/v1/channels", { limit: 50 });
  const circuits = useLoad((signal) => readCircuits(channels.data, signal), [channels.data?.map((each) => each.uid).join()], { every: LIVE_MS });
  useEffect(() => {
    readNames("channelTypes");
  }, []);
  return html`<${Page} name="Channels" actions=${html`<${Button} primary onClick=${askNew}>New channel<//>`}>
    <${Loaded} from=${channels} what="The list of channels">${(rows) => html`
      ${rows.length ? html`<${Table} label="Channels" rows=${rows.map((each) => ({ ...each, circuit: circuits.data?.get(each.uid) }))} columns=${COLUMNS} />`
        : html`<${Empty} name="No channels yet" action=${html`<${Button} primary onClick=${askNew}>New channel<//>`}>A channel is a way to reach people, with its provider, its sender and its limits.<//>`}
      <${More} from=${channels} />`}<//>
  <//>`;
}

/** The list does not tell of circuits: those on the page are looked at one by one, a few at a time. */
async function readCircuits(channels, signal) {
  const found = new Map();
  const left = [...(channels ?? [])].slice(0, MOST_LOOKED_AT);
  const look = async () => {
    for (let each = left.pop(); each; each = left.pop()) found.set(each.uid, (await get(`/v1/channels/${each.uid}`, {}, signal)).circuit);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  return found;
}

/** Whether messages go out, in one word. */
export function channelState(channel) {
  if (channel.circuit && channel.circuit.state !== "closed") return `circuit_${channel.circuit.state}`;
  return channel.active ? channel.approval : "inactive";
}

const COLUMNS = [
  { name: "Name", cell: (row) => html`<a class="title" href=${to("channels", row.uid)}>${row.name}</a><div class="sub">${row.settings.fromEmail ?? row.settings.from ?? ""}</div>` },
  { name: "Type", cell: (row) => nameOf(row.type) },
  { name: "State", class: "tight", cell: (row) => html`<${Status} of=${channelState(row)} />` },
  { name: "Per second", class: "less num", cell: (row) => row.ratePerSecond ?? "–" },
  { name: "Per day", class: "less num", cell: (row) => (row.dailyCap ? count(row.dailyCap) : "–") },
  { name: "Price", class: "less num", cell: (row) => (row.prices.MESSAGE ? money(row.prices.MESSAGE, workspace.value?.currency) : "–") },
];

function NewChannel({ close }) {
  const types = names.value.channelTypes;
  const [typed, setFields] = useState({ name: "", type: "", settings: {} });
  // The types may come after the dialog.
  const fields = { ...typed, type: typed.type || (types.has("email") ? "email" : ([...types.keys()][0] ?? "")) };
  const set = (changes) => setFields({ ...fields, ...changes });
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const made = await send("/v1/channels", fields);
    close(made);
    go("channels", made.uid);
  });
  const schema = types.get(fields.type)?.settings;
  const problemAt = (field) => error?.at?.(field) ?? "";
  return html`<form class="form" onSubmit=${create}><h2>New channel</h2>
    <${Text} name="Name" value=${fields.name} onInput=${(name) => set({ name })} required maxlength="200" autofocus problem=${problemAt("name")} />
    <${Choice} name="Type" value=${fields.type} options=${[...types.keys()].map((each) => [each, nameOf(each)])} onChange=${(type) => set({ type, settings: blankFor(types.get(type).settings) })} />
    ${schema && html`<${SchemaForm} key=${fields.type} schema=${schema} value=${fields.settings} path="settings" problemAt=${problemAt} onChange=${(settings) => set({ settings })} />`}
    ${error && !error.details.length && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy} disabled=${!fields.name.trim() || !fields.type}>Create<//></div></form>`;
}
