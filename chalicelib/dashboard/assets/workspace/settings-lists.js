// @ts-check
// The lists of keys, suppressed addresses and audit entries.
import { html, useState } from "../vendor/preact.js";
import { post, remove } from "../lib/api.js";
import { useAction, useOnce, usePages } from "../lib/load.js";
import { to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { title } from "../lib/words.js";
import { common } from "../lib/texts/en/common.js";
import { workspaceTexts } from "../lib/texts/en/workspace.js";
import { ask, confirm } from "../components/dialog.js";
import { Button, Card, Choice, Loaded, More, Problem, Table, Text, Time } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";

/** @typedef {import("../components/parts.js").Column} Column */

/**
 * The list of a route, with a button for a new entry.
 * @param {{path: string, what: string, name: string, columns: (reload: () => unknown) => Column[], empty: string, New?: any,
 *   newName?: string}} props `New` is the dialog that creates an entry
 */
export function ListOf({ path, what, name, columns, New, empty, newName }) {
  const rows = usePages(path, { limit: 50 });
  const exists = !rows.error?.isMissingRoute;
  const add = async () => (await ask(New, { label: newName })) && rows.reload();
  return html`<${Card} name=${name} actions=${exists && New && html`<${Button} primary onClick=${add}>${newName}<//>`}>
    <${Loaded} from=${rows} what=${what}>${(list) => html`
      ${list.length ? html`<${Table} label=${workspaceTexts.lists.label(name)} rows=${list} keyOf=${(row) => row.uid ?? JSON.stringify(row)} columns=${columns(rows.reload)} />` : html`<p class="muted">${empty}</p>`}
      <${More} from=${rows} />`}<//>
  <//>`;
}

/**
 * A button that asks for confirmation and then sends DELETE.
 * @param {{label: string, text: string, path: string, word: string, done: () => unknown}} props
 */
export function Remove({ label, text, path, word, done }) {
  const act = async () => (await confirm({ label, text, action: word, danger: true, act: () => remove(path) })) && done();
  return html`<${Button} danger onClick=${act}>${word} …<//>`;
}

export function Keys() {
  const text = workspaceTexts.keys;
  const head = text.columns;
  return html`<${ListOf} path="/v1/keys" what=${text.what} name=${text.title} newName=${text.create} New=${NewKey} empty=${text.empty} columns=${(reload) => [
    { name: head.name, cell: (row) => html`<b>${row.name || common.none}</b>` },
    { name: head.scope, cell: (row) => title(row.scope) },
    { name: head.lastUsed, class: "less", cell: (row) => html`<${Time} at=${row.lastUsedAt} />` },
    { name: head.expires, class: "less", cell: (row) => html`<${Time} at=${row.expiresAt} plain />` },
    { name: head.created, class: "less", cell: (row) => html`<${Time} at=${row.createdAt} />` },
    { name: "", class: "num", cell: (row) => html`<${Remove} word=${text.revoke} label=${text.revocation.label(row.name)} text=${text.revocation.text} path="/v1/keys/${row.uid}" done=${reload} />` },
  ]} />`;
}

function NewKey({ label, close }) {
  const text = workspaceTexts.keys;
  const [fields, setFields] = useState({ name: "", scope: "write" });
  const [created, setCreated] = useState(/** @type {Api["KeyCreatedResponse"] | null} */ (null));
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setCreated(await send("/v1/keys", fields));
  });
  if (created) {
    return html`<h2>${text.created.title}</h2><p>${text.created.text}</p><pre class="mail-text" tabindex="0">${created.key}</pre>
      <div class="dialog-foot"><${Button} primary onClick=${() => close(created)}>${text.created.done}<//></div>`;
  }
  return html`<form class="form" onSubmit=${create}><h2>${label}</h2>
    <${Text} name=${text.name} value=${fields.name} onInput=${(name) => setFields({ ...fields, name })} required autofocus problem=${error?.at("name")} />
    <${Choice} name=${text.scope} value=${fields.scope} options=${text.scopes} onChange=${(scope) => setFields({ ...fields, scope })} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy}>${common.create}<//></div></form>`;
}

/** The addresses of erased contacts are known by their keyed hash only. */
export function Suppressions() {
  const text = workspaceTexts.suppressions;
  const head = text.columns;
  const block = (of) => text.block(nameOf(of.channelType ?? of.address), of.messageType ? nameOf(of.messageType).toLowerCase() : text.everyMessage);
  return html`<${ListOf} path="/v1/suppressions" what=${text.what} name=${text.title} newName=${text.create} New=${NewSuppression}
    empty=${text.empty} columns=${(reload) => [
      { name: head.address, cell: (row) => (row.contactUid ? html`<a class="title" href=${to("contacts", row.contactUid)}><${ContactName} uid=${row.contactUid} /></a>` : html`<code title=${row.uid}>${row.uid.slice(0, 12)}…</code>`) },
      { name: head.messages, cell: (row) => row.blocks.map((each) => html`<div>${block(each)}</div>`) },
      { name: head.reason, cell: (row) => row.blocks.map((each) => html`<div>${title(each.reason)}</div>`) },
      { name: head.since, class: "less num", cell: (row) => html`<${Time} at=${row.createdAt} />` },
      { name: "", class: "num", cell: (row) => html`<${Remove} word=${text.remove} ...${text.removal} path="/v1/suppressions/${row.uid}" done=${reload} />` },
    ]} />`;
}

function NewSuppression({ label, close }) {
  const text = workspaceTexts.suppressions;
  const [address, setAddress] = useState("");
  const [add, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const typed = address.trim();
    close(await post("/v1/suppressions", typed.includes("@") ? { email: typed } : { phone: typed }));
  });
  return html`<form class="form" onSubmit=${add}><h2>${label}</h2><p class="muted">${text.lead}</p>
    <${Text} name=${text.address} value=${address} onInput=${setAddress} required autofocus problem=${error?.at("email") || error?.at("phone")} />
    ${!error?.details.length && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy}>${text.suppress}<//></div></form>`;
}

export function Audit() {
  const text = workspaceTexts.audit;
  return html`<${ListOf} path="/v1/audit" what=${text.what} name=${text.title} empty=${text.empty} columns=${() => [
    { name: text.columns.change, cell: (row) => html`${row.changes.map((each) => html`<${Change} of=${each} />`)}${row.more > 0 && html`<p class="muted">${text.more(row.more)}</p>`}<div class="sub code">${row.route}</div>` },
    { name: text.columns.by, class: "less", cell: (row) => row.keyName || row.keyUid },
    { name: text.columns.at, class: "num", cell: (row) => html`<${Time} at=${row.at} />` },
  ]} />`;
}

/** @type {Record<string, string>} Kinds of objects → their screens. */
const PLACES = { CAMPAIGN: "campaigns", FLOW: "flows", CONTACT: "contacts", CHANNEL: "channels", TEMPLATE: "templates", SEGMENT: "segments" };

/** One changed object of a request, with the fields that differ. */
function Change({ of: { kind, uid, action, before, after } }) {
  const text = workspaceTexts.audit;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const name = after.name ?? before.name;
  const place = action !== "removed" && PLACES[kind];
  return html`<details><summary>${title(action)} ${kind.toLowerCase().replaceAll("_", " ")} ${typeof name === "string" ? html`<b>${name}</b>` : html`<code>${uid}</code>`}</summary>
    ${place && html`<p><a href=${to(place, uid)}>${text.open}</a></p>`}
    <dl class="facts">${names.map((each) => html`<div><dt>${title(each)}</dt><dd>${text.value(JSON.stringify(before[each]), JSON.stringify(after[each] ?? null))}</dd></div>`)}</dl></details>`;
}
