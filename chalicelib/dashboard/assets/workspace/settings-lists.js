// Keys, suppressions, audit: each a list with what can be done to it.
import { html, useState } from "../vendor/preact.js";
import { post, remove } from "../lib/api.js";
import { useAction, useOnce, usePages } from "../lib/load.js";
import { to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { title } from "../lib/words.js";
import { ask, confirm } from "../components/dialog.js";
import { Button, Card, Choice, Loaded, More, Problem, Table, Text, Time } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";

/** A list of one route, with a button that opens the dialog for a new one. */
export function ListOf({ path, what, name, columns, New, empty, newName }) {
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
export function Remove({ label, text, path, body, word = "Revoke", done }) {
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
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setMade(await send("/v1/keys", fields));
  });
  if (made) {
    return html`<h2>Your new key</h2><p>It is shown this once. Keep it where secrets are kept.</p><pre class="mail-text" tabindex="0">${made.key}</pre>
      <div class="dialog-foot"><${Button} primary onClick=${() => close(made)}>I have kept it<//></div>`;
  }
  return html`<form class="form" onSubmit=${create}><h2>New key</h2>
    <${Text} name="Name" value=${fields.name} onInput=${(name) => setFields({ ...fields, name })} required autofocus problem=${error?.at?.("name")} />
    <${Choice} name="Scope" value=${fields.scope} options=${[["read", "Read"], ["write", "Read and write"], ["admin", "Everything, keys too"]]} onChange=${(scope) => setFields({ ...fields, scope })} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Create<//></div></form>`;
}

/** Addresses are known by their keyed hash only: that is what stays of an erased contact. */
export function Suppressions() {
  return html`<${ListOf} path="/v1/suppressions" what="The suppression list" name="Suppressed addresses" newName="Suppress an address" New=${NewSuppression}
    empty="Nobody is suppressed." columns=${(reload) => [
      { name: "Address", cell: (row) => (row.contactUid ? html`<a class="title" href=${to("contacts", row.contactUid)}><${ContactName} uid=${row.contactUid} /></a>` : html`<code title=${row.uid}>${row.uid.slice(0, 12)}…</code>`) },
      { name: "Not sent", cell: (row) => row.blocks.map((each) => html`<div>${nameOf(each.channelType ?? each.address)}, ${title(each.messageType ?? "every message").toLowerCase()}</div>`) },
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

const PLACES = { CAMPAIGN: "campaigns", FLOW: "flows", CONTACT: "contacts", CHANNEL: "channels", TEMPLATE: "templates", SEGMENT: "segments" };

/** One object of a call, with the fields that differ. */
function Change({ of: { kind, uid, action, before, after } }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const what = after.name ?? before.name;
  const place = action !== "removed" && PLACES[kind];
  return html`<details><summary>${title(action)} ${kind.toLowerCase().replaceAll("_", " ")} ${typeof what === "string" ? html`<b>${what}</b>` : html`<code>${uid}</code>`}</summary>
    ${place && html`<p><a href=${to(place, uid)}>Open it</a></p>`}
    <dl class="facts">${names.map((name) => html`<div><dt>${title(name)}</dt><dd>${name in before ? `${JSON.stringify(before[name])} → ` : ""}${JSON.stringify(after[name] ?? null)}</dd></div>`)}</dl></details>`;
}
