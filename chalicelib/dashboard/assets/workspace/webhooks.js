// @ts-check
// Webhooks: the systems that get events, their deliveries, and resending a delivery.
import { html, useState } from "../vendor/preact.js";
import { patch, postOnce } from "../lib/api.js";
import { serverNow } from "../lib/clock.js";
import { useAction, useOnce, usePages } from "../lib/load.js";
import { secondsOf } from "../lib/times.js";
import { reasonWord, statusWord } from "../lib/words.js";
import { common } from "../lib/texts/en/common.js";
import { workspaceTexts } from "../lib/texts/en/workspace.js";
import { ask } from "../components/dialog.js";
import { Button, Check, Choice, Loaded, More, Problem, Raw, say, Status, Table, Tags, Text, Time } from "../components/parts.js";
import { ListOf, Remove } from "./settings-lists.js";

const text = workspaceTexts.webhooks;

export function Webhooks() {
  const head = text.columns;
  return html`<${ListOf} path="/v1/webhooks" what=${text.what} name=${text.title} newName=${text.create} New=${WebhookForm} empty=${text.empty} columns=${(reload) => [
    { name: head.url, cell: (row) => html`<b class="code">${row.url}</b><div class="sub">${row.description}</div>` },
    { name: head.events, class: "less", cell: (row) => html`<${Tags} of=${row.events} />` },
    { name: head.state, class: "tight", cell: (row) => html`<${Status} of=${row.active ? "active" : "inactive"} />${!row.active && row.disabledReason && html`<div class="sub">${reasonWord(row.disabledReason)}</div>`}` },
    { name: "", class: "num", cell: (row) => html`<span class="row end"><${Button} onClick=${() => ask(Deliveries, { label: text.deliveries, wide: true, webhook: row })}>${text.deliveries}<//>
      <${Button} onClick=${async () => (await ask(WebhookForm, { label: text.one, webhook: row })) && reload()}>${text.edit}<//>
      <${Remove} word=${workspaceTexts.lists.delete} label=${text.deletion} text=${row.url} path="/v1/webhooks/${row.uid}" done=${reload} /></span>` },
  ]} />`;
}

/** The form of a new webhook, or of an existing one. */
function WebhookForm({ label, webhook, close }) {
  const [fields, setFields] = useState({ url: webhook?.url ?? "", events: webhook?.events ?? ["flow.*", "message.*"], description: webhook?.description ?? "", active: webhook?.active ?? true });
  const [created, setCreated] = useState(null);
  const set = (name, value) => setFields({ ...fields, [name]: value });
  const send = useOnce();
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const { url, events, description } = fields;
    if (webhook) close(await patch(`/v1/webhooks/${webhook.uid}`, fields));
    else setCreated(await send("/v1/webhooks", { url, events, description }));
  });
  if (created) return html`<${Secret} of=${created} close=${close} />`;
  const at = (name) => error?.at(name);
  return html`<form class="form" onSubmit=${save}><h2>${label}</h2>
    <${Text} name=${text.url} type="url" value=${fields.url} onInput=${(next) => set("url", next)} placeholder="https://" required autofocus problem=${at("url")} />
    <${Text} name=${text.description} optional value=${fields.description} onInput=${(next) => set("description", next)} problem=${at("description")} />
    <${Events} chosen=${fields.events} onChange=${(next) => set("events", next)} />
    ${webhook && html`<${Check} name=${text.active} value=${fields.active} help=${text.activeHelp} onChange=${(next) => set("active", next)} />
      <div class="row"><${RenewSecret} webhook=${webhook} renewed=${setCreated} /></div>`}
    ${!at("url") && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy} disabled=${!fields.events.length}>${webhook ? common.save : common.create}<//></div></form>`;
}

/** Groups of events. Single events that were set with the API are kept. */
function Events({ chosen, onChange }) {
  const single = chosen.filter((each) => !text.groups.some(([group]) => group === each));
  const toggle = (group) => onChange(chosen.includes(group) ? chosen.filter((each) => each !== group) : [...chosen, group]);
  return html`<fieldset class="form"><legend>${text.events}</legend>
    ${text.groups.map(([group, name, help]) => html`<${Check} key=${group} name=${name} help=${help} value=${chosen.includes(group)} onChange=${() => toggle(group)} />`)}
    ${single.map((each) => html`<${Check} key=${each} name=${each} value onChange=${() => toggle(each)} />`)}</fieldset>`;
}

function RenewSecret({ webhook, renewed }) {
  const [renew, busy, error] = useAction(async () => renewed(await postOnce(`/v1/webhooks/${webhook.uid}/secret`)));
  return html`<${Button} busy=${busy} onClick=${renew}>${text.renew}<//><${Problem} of=${error} />`;
}

function Secret({ of, close }) {
  const words = text.secret;
  return html`<h2>${words.title}</h2>
    <p>${words.text}${of.previousUntil ? words.previous(html`<${Time} at=${of.previousUntil} plain />`) : ""}.</p>
    <pre class="mail-text" tabindex="0">${of.secret}</pre>
    <div class="dialog-foot"><${Button} primary onClick=${() => close(of)}>${words.done}<//></div>`;
}

const STATUSES = ["pending", "delivered", "failed"];
const POLL_MS = 4_000;

function Deliveries({ label, webhook, close }) {
  const words = workspaceTexts.deliveries;
  const path = `/v1/webhooks/${webhook.uid}`;
  const [status, setStatus] = useState("");
  const rows = usePages(`${path}/deliveries`, { status, limit: 25 }, { every: POLL_MS });
  const [test, busy, error] = useAction(async () => {
    await postOnce(`${path}/test`);
    say(words.tested);
    rows.reload();
  });
  async function resend(delivery) {
    const act = () => postOnce(`${path}/deliveries/${delivery.uid}/replay`);
    const done = await act().catch((refused) => say(refused.message, "bad"));
    if (done) say(words.resent);
    rows.reload();
  }
  return html`<h2>${label}</h2><p class="muted code">${webhook.url}</p>
    <div class="filters"><${Choice} name=${words.status} value=${status} options=${[["", common.all], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${setStatus} /></div>
    <${Loaded} from=${rows} what=${words.what}>${(list) => list.length
      ? html`<${Table} label=${workspaceTexts.lists.label(label)} rows=${list} columns=${columns(resend)} /><${More} from=${rows} />`
      : html`<p class="muted">${status ? words.noMatch : words.none}</p>`}<//>
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} busy=${busy} onClick=${test}>${words.test}<//><${Button} primary onClick=${() => close()}>${common.done}<//></div>`;
}

const { columns: HEAD, ...words } = workspaceTexts.deliveries;

/** @returns {import("../components/parts.js").Column[]} */
const columns = (resend) => [
  { name: HEAD.event, cell: (row) => html`<b>${row.event}</b><${Attempts} of=${row} />` },
  { name: HEAD.status, class: "tight", cell: (row) => html`<${Status} of=${row.status} />${row.nextAttemptAt && html`<div class="sub">${new Date(row.nextAttemptAt).getTime() > serverNow() ? words.next(html`<${Time} at=${row.nextAttemptAt} />`) : words.due}</div>`}` },
  { name: HEAD.at, class: "less num", cell: (row) => html`<${Time} at=${row.createdAt} />` },
  { name: "", class: "num", cell: (row) => html`<${Button} disabled=${row.status === "pending"} aria-label=${words.againLabel(row.event)} onClick=${() => resend(row)}>${words.again}<//>` },
];

function Attempts({ of: { attempts, body } }) {
  const last = attempts.at(-1);
  return html`<details><summary>${last ? words.attempts(attempts.length, resultOf(last)) : words.notTried}</summary>
    <ol>${attempts.map((each) => html`<li class="sub"><${Time} at=${each.at} plain />: ${words.after(resultOf(each), secondsOf(each.milliseconds))}</li>`)}</ol>
    <${Raw} of=${readBody(body)} name=${words.body} /></details>`;
}

const resultOf = ({ status, fault }) => (status ? words.answered(status) : reasonWord(fault));

function readBody(body) {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
