// @ts-check
// The list of all channels.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useAction, useLoad, useOnce, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count, money } from "../lib/numbers.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { workspace } from "../lib/session.js";
import { common } from "../lib/texts/en/common.js";
import { workspaceTexts } from "../lib/texts/en/workspace.js";
import { ask } from "../components/dialog.js";
import { blankFor, SchemaForm } from "../components/field.js";
import { Button, Choice, Empty, Loaded, More, Page, Problem, Status, Table, Text } from "../components/parts.js";

const text = workspaceTexts.channels;
const POLL_MS = 15_000;
const MAX_CIRCUITS = 50;
const PARALLEL_READS = 4;
const askNew = () => ask(NewChannel, { label: text.create });
const newButton = () => html`<${Button} primary onClick=${askNew}>${text.create}<//>`;

export function Screen() {
  const channels = usePages("/v1/channels", { limit: 50 });
  const circuits = useLoad((signal) => readCircuits(channels.data, signal), [channels.data?.map((each) => each.uid).join()], { every: POLL_MS });
  useEffect(() => {
    readNames("channelTypes");
  }, []);
  return html`<${Page} name=${text.title} actions=${newButton()}>
    <${Loaded} from=${channels} what=${text.what}>${(rows) => html`
      ${rows.length ? html`<${Table} label=${text.title} rows=${rows.map((each) => ({ ...each, circuit: circuits.data?.get(each.uid) }))} columns=${COLUMNS} />`
        : html`<${Empty} name=${text.empty.title} action=${newButton()}>${text.empty.text}<//>`}
      <${More} from=${channels} />`}<//>
  <//>`;
}

/** Read the circuits of the channels on the page, a few at a time: the list of the API does not contain them. */
async function readCircuits(channels, signal) {
  const found = new Map();
  const left = [...(channels ?? [])].slice(0, MAX_CIRCUITS);
  const readAll = async () => {
    for (let each = left.pop(); each; each = left.pop()) found.set(each.uid, (await get(`/v1/channels/${each.uid}`, {}, signal)).circuit);
  };
  await Promise.all(Array.from({ length: PARALLEL_READS }, readAll));
  return found;
}

/**
 * Return one status for circuit, approval and activity.
 * @param {Pick<Api["ChannelResponse"], "active" | "approval"> & {circuit?: {state: string} | null}} channel
 */
export function channelState(channel) {
  if (channel.circuit && channel.circuit.state !== "closed") return `circuit_${channel.circuit.state}`;
  return channel.active ? channel.approval : "inactive";
}

/** @type {import("../components/parts.js").Column[]} */
const COLUMNS = [
  { name: text.columns.name, cell: (row) => html`<a class="title" href=${to("channels", row.uid)}>${row.name}</a><div class="sub">${row.settings.fromEmail ?? row.settings.from ?? ""}</div>` },
  { name: text.columns.type, cell: (row) => nameOf(row.type) },
  { name: text.columns.state, class: "tight", cell: (row) => html`<${Status} of=${channelState(row)} />` },
  { name: text.columns.perSecond, class: "less num", cell: (row) => row.ratePerSecond ?? common.none },
  { name: text.columns.perDay, class: "less num", cell: (row) => (row.dailyCap ? count(row.dailyCap) : common.none) },
  { name: text.columns.price, class: "less num", cell: (row) => (row.prices.MESSAGE ? money(row.prices.MESSAGE, workspace.value?.currency) : common.none) },
];

function NewChannel({ label, close }) {
  const types = names.value.channelTypes;
  const [typed, setFields] = useState({ name: "", type: "", settings: {} });
  // The channel types may be loaded after the dialog opens.
  const fields = { ...typed, type: typed.type || (types.has("email") ? "email" : ([...types.keys()][0] ?? "")) };
  const set = (changes) => setFields({ ...fields, ...changes });
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const created = await send("/v1/channels", fields);
    close(created);
    go("channels", created.uid);
  });
  const schema = types.get(fields.type)?.settings;
  const problemAt = (field) => error?.at?.(field) ?? "";
  return html`<form class="form" onSubmit=${create}><h2>${label}</h2>
    <${Text} name=${text.name} value=${fields.name} onInput=${(name) => set({ name })} required maxlength="200" autofocus problem=${problemAt("name")} />
    <${Choice} name=${text.type} value=${fields.type} options=${[...types.keys()].map((each) => [each, nameOf(each)])} onChange=${(type) => set({ type, settings: blankFor(types.get(type).settings) })} />
    ${schema && html`<${SchemaForm} key=${fields.type} schema=${schema} value=${fields.settings} path="settings" problemAt=${problemAt} onChange=${(settings) => set({ settings })} />`}
    ${error && !error.details.length && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy} disabled=${!fields.name.trim() || !fields.type}>${common.create}<//></div></form>`;
}
