// Webhooks: which systems are told of what, how that went, and telling them again.
import { html, useState } from "../vendor/preact.js";
import { patch, postOnce } from "../lib/api.js";
import { serverNow } from "../lib/clock.js";
import { useAction, useOnce, usePages } from "../lib/load.js";
import { ATTEMPT, plural } from "../lib/texts/en/plural.js";
import { reasonWord, statusWord } from "../lib/words.js";
import { ask } from "../components/dialog.js";
import { Button, Check, Choice, Loaded, More, Problem, Raw, say, Status, Table, Tags, Text, Time } from "../components/parts.js";
import { ListOf, Remove } from "./settings-lists.js";

const GROUPS = [
  ["campaign.*", "Campaigns", "launched, paused, completed …"],
  ["flow.*", "Flows", "started, paused, completed, failed …"],
  ["message.*", "Messages", "delivered, opened, clicked, bounced, replied …"],
  ["contact.*", "Contacts", "created, updated, tagged, untagged"],
];

export function Webhooks() {
  return html`<${ListOf} path="/v1/webhooks" what="The list of webhooks" name="Webhooks" newName="New webhook" New=${WebhookForm} empty="No webhooks: no other system is told of what happens." columns=${(reload) => [
    { name: "Address", cell: (row) => html`<b class="code">${row.url}</b><div class="sub">${row.description}</div>` },
    { name: "Events", class: "less", cell: (row) => html`<${Tags} of=${row.events} />` },
    { name: "State", class: "tight", cell: (row) => html`<${Status} of=${row.active ? "active" : "inactive"} />${!row.active && row.disabledReason && html`<div class="sub">${reasonWord(row.disabledReason)}</div>`}` },
    { name: "", class: "num", cell: (row) => html`<span class="row end"><${Button} onClick=${() => ask(Deliveries, { label: "Deliveries", wide: true, webhook: row })}>Deliveries<//>
      <${Button} onClick=${async () => (await ask(WebhookForm, { label: "Webhook", webhook: row })) && reload()}>Change …<//>
      <${Remove} word="Delete" label="Delete this webhook?" text=${row.url} path="/v1/webhooks/${row.uid}" done=${reload} /></span>` },
  ]} />`;
}

/** A new one, or what can be changed of one that is there. */
function WebhookForm({ webhook, close }) {
  const [fields, setFields] = useState({ url: webhook?.url ?? "", events: webhook?.events ?? ["flow.*", "message.*"], description: webhook?.description ?? "", active: webhook?.active ?? true });
  const [made, setMade] = useState(null);
  const set = (name, value) => setFields({ ...fields, [name]: value });
  const send = useOnce();
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const { active, ...given } = fields;
    if (webhook) close(await patch(`/v1/webhooks/${webhook.uid}`, fields));
    else setMade(await send("/v1/webhooks", given));
  });
  if (made) return html`<${Secret} of=${made} close=${close} />`;
  const at = (name) => error?.at?.(name);
  return html`<form class="form" onSubmit=${save}><h2>${webhook ? "Webhook" : "New webhook"}</h2>
    <${Text} name="Address" type="url" value=${fields.url} onInput=${(next) => set("url", next)} placeholder="https://" required autofocus problem=${at("url")} />
    <${Text} name="Description" optional value=${fields.description} onInput=${(next) => set("description", next)} problem=${at("description")} />
    <${Events} chosen=${fields.events} onChange=${(next) => set("events", next)} />
    ${webhook && html`<${Check} name="Active" value=${fields.active} help="Switched off, it is told nothing; what happens meanwhile is not kept for it." onChange=${(next) => set("active", next)} />
      <div class="row"><${RenewSecret} webhook=${webhook} renewed=${setMade} /></div>`}
    ${!at("url") && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy} disabled=${!fields.events.length}>${webhook ? "Save" : "Create"}<//></div></form>`;
}

/** Single events that the API was told of stay; here whole groups are chosen. */
function Events({ chosen, onChange }) {
  const single = chosen.filter((each) => !GROUPS.some(([group]) => group === each));
  const toggle = (group) => onChange(chosen.includes(group) ? chosen.filter((each) => each !== group) : [...chosen, group]);
  return html`<fieldset class="form"><legend>It is told of</legend>
    ${GROUPS.map(([group, name, help]) => html`<${Check} key=${group} name=${name} help=${help} value=${chosen.includes(group)} onChange=${() => toggle(group)} />`)}
    ${single.map((each) => html`<${Check} key=${each} name=${each} value onChange=${() => toggle(each)} />`)}</fieldset>`;
}

function RenewSecret({ webhook, renewed }) {
  const [renew, busy, error] = useAction(async () => renewed(await postOnce(`/v1/webhooks/${webhook.uid}/secret`)));
  return html`<${Button} busy=${busy} onClick=${renew}>New secret …<//><${Problem} of=${error} />`;
}

function Secret({ of, close }) {
  return html`<h2>The secret of this webhook</h2>
    <p>It is shown this once. With it the receiver checks the signature of every call${of.previousUntil ? html`; the one before is good until <${Time} at=${of.previousUntil} plain />` : ""}.</p>
    <pre class="mail-text" tabindex="0">${of.secret}</pre>
    <div class="dialog-foot"><${Button} primary onClick=${() => close(of)}>I have kept it<//></div>`;
}

const STATUSES = [["", "All"], ["pending"], ["delivered"], ["failed"]];

function Deliveries({ webhook, close }) {
  const path = `/v1/webhooks/${webhook.uid}`;
  const [status, setStatus] = useState("");
  const rows = usePages(`${path}/deliveries`, { status, limit: 25 }, { every: 4_000 });
  const [test, busy, error] = useAction(async () => {
    await postOnce(`${path}/test`);
    say("A test event is on its way");
    rows.reload();
  });
  async function again(delivery) {
    const act = () => postOnce(`${path}/deliveries/${delivery.uid}/replay`);
    const done = await act().catch((refused) => say(refused.message, "bad"));
    if (done) say("It is on its way again");
    rows.reload();
  }
  return html`<h2>Deliveries</h2><p class="muted code">${webhook.url}</p>
    <div class="filters"><${Choice} name="Status" value=${status} options=${STATUSES.map(([each, words]) => [each, words ?? statusWord(each)])} onChange=${setStatus} /></div>
    <${Loaded} from=${rows} what="The list of deliveries">${(list) => list.length
      ? html`<${Table} label="Deliveries, a list" rows=${list} columns=${columns(again)} /><${More} from=${rows} />`
      : html`<p class="muted">${status ? "None." : "Nothing was delivered yet."}</p>`}<//>
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} busy=${busy} onClick=${test}>Send a test event<//><${Button} primary onClick=${() => close()}>Done<//></div>`;
}

const columns = (again) => [
  { name: "Event", cell: (row) => html`<b>${row.event}</b><${Attempts} of=${row} />` },
  { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />${row.nextAttemptAt && html`<div class="sub">${new Date(row.nextAttemptAt) > serverNow() ? html`next <${Time} at=${row.nextAttemptAt} />` : "due now"}</div>`}` },
  { name: "When", class: "less num", cell: (row) => html`<${Time} at=${row.createdAt} />` },
  { name: "", class: "num", cell: (row) => html`<${Button} disabled=${row.status === "pending"} aria-label="Deliver ${row.event} again" onClick=${() => again(row)}>Again<//>` },
];

function Attempts({ of: { attempts, body } }) {
  const last = attempts.at(-1);
  return html`<details><summary>${last ? `${plural(attempts.length, ATTEMPT)}, the last: ${answered(last)}` : "not tried yet"}</summary>
    <ol>${attempts.map((each) => html`<li class="sub"><${Time} at=${each.at} plain />: ${answered(each)} after ${each.milliseconds} ms</li>`)}</ol>
    <${Raw} of=${readBody(body)} name="What it is told" /></details>`;
}

const answered = ({ status, fault }) => (status ? `answered ${status}` : reasonWord(fault));

function readBody(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
