// @ts-check
// The prepaid balance: amounts, top-up, auto-reload, the alert and the ledger.
import { html, useState } from "../vendor/preact.js";
import { get, put } from "../lib/api.js";
import { useAction, useLoad, useOnce, usePages } from "../lib/load.js";
import { money } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { common } from "../lib/texts/en/common.js";
import { workspaceTexts } from "../lib/texts/en/workspace.js";
import { ask } from "../components/dialog.js";
import { Button, Card, Check, Facts, Loaded, More, Problem, say, Table, Text, Time } from "../components/parts.js";

const text = workspaceTexts.balance;
const POLL_MS = 10_000;

export function Balance() {
  const balance = useLoad((signal) => get("/v1/balance", {}, signal), [], { every: POLL_MS });
  const ledger = usePages("/v1/balance/transactions", { limit: 25 }, { every: POLL_MS });
  const reload = () => (balance.reload(), ledger.reload());
  const topUp = async () => (await ask(TopUp, { label: workspaceTexts.topUp.title, currency: balance.data?.currency })) && reload();
  const amounts = (of) => [[text.available, money(of.free, of.currency)], [text.reserved, money(of.reserved, of.currency)], [text.total, money(of.total, of.currency)]];
  return html`<div class="stack"><${Card} name=${text.title} actions=${balance.data && html`<${Button} primary onClick=${topUp}>${text.topUp}<//>`}>
      <${Loaded} from=${balance} what=${text.what}>${(of) => html`
        ${of.isLow && html`<p class="notice warn" role="status">${text.low(money(of.alerts.lowBalance, of.currency))}</p>`}
        <${Facts} of=${amounts(of)} />
        <p class="help below">${text.help}</p>`}<//><//>
    ${balance.data && html`<div class="columns"><${AutoReload} currency=${balance.data.currency} /><${Alerts} key=${balance.data.alerts.lowBalance} of=${balance.data} reload=${reload} /></div>
      <${Ledger} rows=${ledger} />`}</div>`;
}

function Ledger({ rows }) {
  const kind = (row) => text.kinds[row.type] ?? row.type;
  const what = (row) => (row.flowUid ? text.byFlow(kind(row), html`<a href=${to("flows", row.flowUid)}>${text.flow}</a>`) : kind(row));
  return html`<${Card} name=${text.ledger}><${Loaded} from=${rows} what=${text.whatLedger}>${(list) => list.length
    ? html`<${Table} label=${text.transactions} rows=${list} columns=${[
        { name: text.columns.what, cell: (row) => html`${what(row)}<div class="sub">${row.note}</div>` },
        { name: text.columns.amount, class: "num", cell: (row) => money(row.amount, row.currency) },
        { name: text.columns.at, class: "num", cell: (row) => html`<${Time} at=${row.at} />` },
      ]} /><${More} from=${rows} />`
    : html`<p class="muted">${text.noTransactions}</p>`}<//><//>`;
}

const MONEY = { inputmode: "decimal", pattern: "[0-9]+([.][0-9]{1,6})?" };

function TopUp({ label, currency, close }) {
  const words = workspaceTexts.topUp;
  const [fields, setFields] = useState({ amount: "", note: "" });
  const send = useOnce();
  const [pay, busy, error] = useAction(async (event) => {
    event.preventDefault();
    close(await send("/v1/balance/topup", fields));
  });
  return html`<form class="form" onSubmit=${pay}><h2>${label}</h2><p class="muted">${words.lead}</p>
    <${Text} name=${words.amount(currency)} ...${MONEY} value=${fields.amount} onInput=${(amount) => setFields({ ...fields, amount })} required autofocus problem=${error?.at("amount")} />
    <${Text} name=${words.note} optional maxlength="200" value=${fields.note} onInput=${(note) => setFields({ ...fields, note })} problem=${error?.at("note")} />
    ${!error?.details.length && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy}>${words.submit}<//></div></form>`;
}

function AutoReload({ currency }) {
  const { title } = workspaceTexts.autoReload;
  const loaded = useLoad((signal) => get("/v1/balance/auto-reload", {}, signal), []);
  return html`<${Card} name=${title}><${Loaded} from=${loaded} what=${title}>${(of) => html`<${AutoReloadForm} key=${JSON.stringify(of)} first=${of} currency=${currency} reload=${loaded.reload} />`}<//><//>`;
}

function AutoReloadForm({ first, currency, reload }) {
  const words = workspaceTexts.autoReload;
  const [fields, setFields] = useState(first);
  const set = (name, value) => setFields({ ...fields, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await put("/v1/balance/auto-reload", fields);
    say(common.saved);
    reload();
  });
  return html`<form class="form" onSubmit=${save}>
    <${Check} name=${words.enabled} value=${fields.enabled} help=${words.help} onChange=${(next) => set("enabled", next)} />
    <div class="row"><${Text} name=${words.threshold(currency)} ...${MONEY} required value=${fields.threshold} problem=${error?.at("threshold")} onInput=${(next) => set("threshold", next)} />
      <${Text} name=${words.amount(currency)} ...${MONEY} required value=${fields.amount} problem=${error?.at("amount")} onInput=${(next) => set("amount", next)} /></div>
    ${!["threshold", "amount"].some((name) => error?.at(name)) && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} type="submit" busy=${busy} disabled=${JSON.stringify(fields) === JSON.stringify(first)}>${common.save}<//></div></form>`;
}

function Alerts({ of, reload }) {
  const words = workspaceTexts.alerts;
  const [low, setLow] = useState(of.alerts.lowBalance ?? "");
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await put("/v1/balance/alerts", { lowBalance: low.trim() || null });
    say(common.saved);
    reload();
  });
  return html`<${Card} name=${words.title}><form class="form" onSubmit=${save}>
    <${Text} name=${words.low(of.currency)} optional ...${MONEY} value=${low} problem=${error?.at("lowBalance")} help=${words.help} onInput=${setLow} />
    ${!error?.details.length && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} type="submit" busy=${busy} disabled=${low === (of.alerts.lowBalance ?? "")}>${common.save}<//></div></form><//>`;
}
