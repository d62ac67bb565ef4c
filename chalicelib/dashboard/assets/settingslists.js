// Keys, webhooks, balance, suppressions, audit: each a list with what can be done to it.
import { html, useState } from "./vendor.js";
import { get, newToken, post, postOnce, put, remove } from "./api.js";
import { ask, confirm } from "./dialog.js";
import { useAction, useLoad, usePages } from "./load.js";
import { Button, Card, Check, Choice, Facts, Loaded, More, Problem, say, Status, Table, Tags, Text, Time } from "./parts.js";
import { to } from "./router.js";
import { money, title } from "./words.js";

/** A list of one route, with a button that opens the dialog for a new one. */
function ListOf({ path, what, name, columns, New, empty, newName }) {
  const rows = usePages(path, { limit: 50 });
  const isThere = !rows.error?.isMissingRoute;
  const add = async () => (await ask(New, { label: newName })) && rows.reload();
  return html`<${Card} name=${name} actions=${isThere && New && html`<${Button} primary onClick=${add}>${newName}<//>`}>
    <${Loaded} from=${rows} what=${what}>${(list) => html`
      ${list.length ? html`<${Table} label="${name}, a list" rows=${list} keyOf=${(row) => row.uid ?? JSON.stringify(row)} columns=${columns(rows.reload)} />` : html`<p class="muted">${empty}</p>`}
      <${More} from=${rows} />`}<//>
  <//>`;
}

/** A button that asks before it removes. */
function Remove({ label, text, path, body, word = "Revoke", done }) {
  const act = async () => (await confirm({ label, text, action: word, danger: true, act: () => remove(path, body) })) && done();
  return html`<${Button} danger onClick=${act}>${word} …<//>`;
}

export function Keys() {
  return html`<${ListOf} path="/v1/keys" what="The list of keys" name="API keys" newName="New key" New=${NewKey} empty="No keys." columns=${(reload) => [
    { name: "Name", cell: (row) => html`<b>${row.name || "–"}</b>` },
    { name: "Scope", cell: (row) => title(row.scope) },
    { name: "Last used", class: "less", cell: (row) => html`<${Time} at=${row.lastUsedAt} />` },
    { name: "Expires", class: "less", cell: (row) => html`<${Time} at=${row.expiresAt} plain />` },
    { name: "Created", class: "less", cell: (row) => html`<${Time} at=${row.createdAt} />` },
    { name: "", class: "num", cell: (row) => html`<${Remove} label="Revoke “${row.name}”?" text="Programs that use it are refused within a minute." path="/v1/keys/${row.uid}" done=${reload} />` },
  ]} />`;
}

function NewKey({ close }) {
  const [fields, setFields] = useState({ name: "", scope: "write" });
  const [made, setMade] = useState(null);
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setMade(await postOnce("/v1/keys", fields));
  });
  if (made) {
    return html`<h2>Your new key</h2><p>It is shown this once. Keep it where secrets are kept.</p><pre class="letter" tabindex="0">${made.key}</pre>
      <div class="dialog-foot"><${Button} primary onClick=${() => close(made)}>I have kept it<//></div>`;
  }
  return html`<form class="form" onSubmit=${create}><h2>New key</h2>
    <${Text} name="Name" value=${fields.name} onInput=${(name) => setFields({ ...fields, name })} required autofocus problem=${error?.at?.("name")} />
    <${Choice} name="Scope" value=${fields.scope} options=${[["read", "Read"], ["write", "Read and write"], ["admin", "Everything, keys too"]]} onChange=${(scope) => setFields({ ...fields, scope })} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Create<//></div></form>`;
}

export function Webhooks() {
  return html`<${ListOf} path="/v1/webhooks" what="The list of webhooks" name="Webhooks" newName="New webhook" New=${NewWebhook} empty="No webhooks: nobody is told of what happens." columns=${(reload) => [
    { name: "Address", cell: (row) => html`<b class="code">${row.url}</b>` },
    { name: "Events", class: "less", cell: (row) => html`<${Tags} of=${row.events ?? []} />` },
    { name: "State", class: "tight", cell: (row) => html`<${Status} of=${row.active === false ? "inactive" : "active"} />` },
    { name: "", class: "num", cell: (row) => html`<span class="row end"><${Button} onClick=${() => ask(Deliveries, { label: "Deliveries", webhook: row })}>Deliveries<//>
      <${Remove} word="Delete" label="Delete this webhook?" text=${row.url} path="/v1/webhooks/${row.uid}" done=${reload} /></span>` },
  ]} />`;
}

const EVENTS = ["message.*", "execution.*", "flow.*", "campaign.*", "contact.*", "consent.*", "balance.low", "channel.circuit_opened"];

function NewWebhook({ close }) {
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState(["message.*", "flow.*"]);
  const toggle = (name) => setEvents(EVENTS.filter((each) => (each === name) !== events.includes(each)));
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    close(await postOnce("/v1/webhooks", { url, events }));
  });
  return html`<form class="form" onSubmit=${create}><h2>New webhook</h2>
    <${Text} name="Address" type="url" value=${url} onInput=${setUrl} placeholder="https://" required autofocus problem=${error?.at?.("url")} />
    <fieldset class="form"><legend>Events</legend>${EVENTS.map((each) => html`<${Check} key=${each} name=${each} value=${events.includes(each)} onChange=${() => toggle(each)} />`)}</fieldset>
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Create<//></div></form>`;
}

function Deliveries({ webhook, close }) {
  const path = `/v1/webhooks/${webhook.uid}`;
  const rows = usePages(`${path}/deliveries`, { limit: 25 });
  const [test, busy, error] = useAction(async () => {
    await post(`${path}/test`);
    say("A test event is on its way");
    rows.reload();
  });
  const [replay, replaying, refused] = useAction(async (uid) => {
    await post(`${path}/deliveries/${uid}/replay`);
    rows.reload();
  });
  return html`<h2>Deliveries</h2><${Loaded} from=${rows} what="The list of deliveries">${(list) => list.length
      ? html`<${Table} label="Deliveries" rows=${list} columns=${[
          { name: "Event", cell: (row) => row.event ?? row.type },
          { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
          { name: "When", class: "num", cell: (row) => html`<${Time} at=${row.at ?? row.createdAt} />` },
          { name: "", class: "num", cell: (row) => html`<${Button} busy=${replaying} onClick=${() => replay(row.uid)}>Again<//>` },
        ]} /><${More} from=${rows} />`
      : html`<p class="muted">Nothing was delivered yet.</p>`}<//>
    <${Problem} of=${error ?? refused} />
    <div class="dialog-foot"><${Button} busy=${busy} onClick=${test}>Send a test event<//><${Button} primary onClick=${() => close()}>Done<//></div>`;
}

export function Balance() {
  const balance = useLoad((signal) => get("/v1/balance", {}, signal), []);
  const ledger = usePages("/v1/balance/transactions", { limit: 25 });
  const top = async () => (await ask(TopUp, { label: "Top up", currency: balance.data.currency })) && (balance.reload(), ledger.reload());
  return html`<${Card} name="Balance" actions=${balance.data && html`<${Button} primary onClick=${top}>Top up<//>`}>
      <${Loaded} from=${balance} what="The balance">${(of) => html`<${Facts} of=${["free", "reserved", "total"].map((name) => [title(name), money(of[name], of.currency)])} />`}<//><//>
    ${balance.data && html`<${AutoReload} /><${Card} name="Ledger"><${Loaded} from=${ledger} what="The ledger">${(rows) => rows.length
      ? html`<${Table} label="Transactions" rows=${rows} columns=${[
          { name: "What", cell: (row) => title(row.type ?? row.kind) },
          { name: "Amount", class: "num", cell: (row) => money(row.amount, row.currency ?? balance.data.currency) },
          { name: "When", class: "num", cell: (row) => html`<${Time} at=${row.at ?? row.createdAt} />` },
        ]} /><${More} from=${ledger} />`
      : html`<p class="muted">Nothing yet.</p>`}<//><//>`}`;
}

function TopUp({ currency, close }) {
  const [amount, setAmount] = useState("");
  const [token] = useState(newToken);
  const [pay, busy, error] = useAction(async (event) => {
    event.preventDefault();
    close(await postOnce("/v1/balance/topup", { amount, currency }, token));
  });
  return html`<form class="form" onSubmit=${pay}><h2>Top up</h2><p class="muted">A top-up does not resume what is paused; that stays your decision.</p>
    <${Text} name="Amount (${currency})" inputmode="decimal" pattern="[0-9]+([.][0-9]{1,2})?" value=${amount} onInput=${setAmount} required autofocus problem=${error?.at?.("amount")} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Top up<//></div></form>`;
}

function AutoReload() {
  const reload = useLoad((signal) => get("/v1/balance/auto-reload", {}, signal), []);
  const [change, busy, error] = useAction(async (enabled) => {
    await put("/v1/balance/auto-reload", { ...reload.data, enabled });
    reload.reload();
  });
  return html`<${Card} name="Auto-reload"><${Loaded} from=${reload} what="Auto-reload">${(of) => html`<div class="form">
    <${Check} name="Top up by itself" value=${of.enabled} help="When ${of.threshold ?? "the threshold"} is left, by ${of.amount ?? "a fixed amount"}." onChange=${(next) => !busy && change(next)} /><${Problem} of=${error} /></div>`}<//><//>`;
}

/** Addresses are known by their keyed hash only: that is what stays of an erased contact. */
export function Suppressions() {
  return html`<${ListOf} path="/v1/suppressions" what="The suppression list" name="Suppressed addresses" newName="Suppress an address" New=${NewSuppression}
    empty="Nobody is suppressed." columns=${(reload) => [
      { name: "Address", cell: (row) => (row.contactUid ? html`<a class="title" href=${to("contacts", row.contactUid)}>A contact’s</a>` : html`<code title=${row.uid}>${row.uid.slice(0, 12)}…</code>`) },
      { name: "Not sent", cell: (row) => row.blocks.map((each) => html`<div>${each.channelType ?? each.address}, ${title(each.messageType ?? "every message").toLowerCase()}</div>`) },
      { name: "Why", cell: (row) => row.blocks.map((each) => html`<div>${title(each.reason)}</div>`) },
      { name: "Since", class: "less num", cell: (row) => html`<${Time} at=${row.createdAt} />` },
      { name: "", class: "num", cell: (row) => html`<${Remove} word="Lift" label="Write to this address again?" text="Only where you know that it is wanted." path="/v1/suppressions/${row.uid}" done=${reload} />` },
    ]} />`;
}

function NewSuppression({ close }) {
  const [address, setAddress] = useState("");
  const [add, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const typed = address.trim();
    close(await post("/v1/suppressions", typed.includes("@") ? { email: typed } : { phone: typed }));
  });
  return html`<form class="form" onSubmit=${add}><h2>Suppress an address</h2><p class="muted">Nothing is sent to it any more, whoever has it.</p>
    <${Text} name="E-mail address or phone number" value=${address} onInput=${setAddress} required autofocus problem=${error?.at?.("email") || error?.at?.("phone")} />
    ${!error?.details?.length && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Suppress<//></div></form>`;
}

export function Audit() {
  return html`<${ListOf} path="/v1/audit" what="The audit log" name="Audit log" empty="No changes yet." columns=${() => [
    { name: "What", cell: (row) => html`${row.changes.map((each) => html`<${Change} of=${each} />`)}${row.more > 0 && html`<p class="muted">and ${row.more} more</p>`}<div class="sub code">${row.route}</div>` },
    { name: "By", class: "less", cell: (row) => row.keyName || row.keyUid },
    { name: "When", class: "num", cell: (row) => html`<${Time} at=${row.at} />` },
  ]} />`;
}

/** One object of a call, with the fields that differ. */
function Change({ of: { kind, uid, action, before, after } }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return html`<details><summary>${title(action)} ${kind.toLowerCase().replaceAll("_", " ")} <code>${uid}</code></summary>
    <dl class="facts">${names.map((name) => html`<div><dt>${title(name)}</dt><dd>${name in before ? `${JSON.stringify(before[name])} → ` : ""}${JSON.stringify(after[name] ?? null)}</dd></div>`)}</dl></details>`;
}
