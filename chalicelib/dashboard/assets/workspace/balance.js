// The prepaid balance: what is there, paying in, what happens when little is left, and the ledger.
import { html, useState } from "../vendor/preact.js";
import { get, put } from "../lib/api.js";
import { useAction, useLoad, useOnce, usePages } from "../lib/load.js";
import { money } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { ask } from "../components/dialog.js";
import { Button, Card, Check, Facts, Loaded, More, Problem, say, Table, Text, Time } from "../components/parts.js";

export function Balance() {
  const balance = useLoad((signal) => get("/v1/balance", {}, signal), [], { every: 10_000 });
  const ledger = usePages("/v1/balance/transactions", { limit: 25 }, { every: 10_000 });
  const reload = () => (balance.reload(), ledger.reload());
  const top = async () => (await ask(TopUp, { label: "Top up", currency: balance.data.currency })) && reload();
  return html`<div class="stack"><${Card} name="Balance" actions=${balance.data && html`<${Button} primary onClick=${top}>Top up …<//>`}>
      <${Loaded} from=${balance} what="The balance">${(of) => html`
        ${of.isLow && html`<p class="notice warn" role="status">Less than ${money(of.alerts.lowBalance, of.currency)} is free.</p>`}
        <${Facts} of=${[["Free", money(of.free, of.currency)], ["Drawn by flows", money(of.reserved, of.currency)], ["Together", money(of.total, of.currency)]]} />
        <p class="help below">A workspace is prepaid from its first top-up on. Then a flow draws what its messages cost, and pauses when nothing is free.</p>`}<//><//>
    ${balance.data && html`<div class="columns"><${AutoReload} currency=${balance.data.currency} /><${Alerts} key=${balance.data.alerts.lowBalance} of=${balance.data} reload=${reload} /></div>
      <${Ledger} rows=${ledger} />`}</div>`;
}

const KINDS = { topup: "Top-up", reload: "Auto-reload", spent: "Spent" };

function Ledger({ rows }) {
  return html`<${Card} name="Ledger"><${Loaded} from=${rows} what="The ledger">${(list) => list.length
    ? html`<${Table} label="Transactions" rows=${list} columns=${[
        { name: "What", cell: (row) => html`${row.flowUid ? html`${KINDS[row.type]} by <a href=${to("flows", row.flowUid)}>a flow</a>` : KINDS[row.type] ?? row.type}<div class="sub">${row.note}</div>` },
        { name: "Amount", class: "num", cell: (row) => money(row.amount, row.currency) },
        { name: "When", class: "num", cell: (row) => html`<${Time} at=${row.at} />` },
      ]} /><${More} from=${rows} />`
    : html`<p class="muted">Nothing yet.</p>`}<//><//>`;
}

const MONEY = { inputmode: "decimal", pattern: "[0-9]+([.][0-9]{1,6})?" };

function TopUp({ currency, close }) {
  const [fields, setFields] = useState({ amount: "", note: "" });
  const send = useOnce();
  const [pay, busy, error] = useAction(async (event) => {
    event.preventDefault();
    close(await send("/v1/balance/topup", fields));
  });
  return html`<form class="form" onSubmit=${pay}><h2>Top up</h2><p class="muted">Notes an amount that was paid. It does not resume what is paused; that stays your decision.</p>
    <${Text} name="Amount (${currency})" ...${MONEY} value=${fields.amount} onInput=${(amount) => setFields({ ...fields, amount })} required autofocus problem=${error?.at?.("amount")} />
    <${Text} name="Note" optional maxlength="200" value=${fields.note} onInput=${(note) => setFields({ ...fields, note })} problem=${error?.at?.("note")} />
    ${!error?.details?.length && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy}>Top up<//></div></form>`;
}

function AutoReload({ currency }) {
  const loaded = useLoad((signal) => get("/v1/balance/auto-reload", {}, signal), []);
  return html`<${Card} name="Auto-reload"><${Loaded} from=${loaded} what="Auto-reload">${(of) => html`<${AutoReloadForm} key=${JSON.stringify(of)} first=${of} currency=${currency} reload=${loaded.reload} />`}<//><//>`;
}

function AutoReloadForm({ first, currency, reload }) {
  const [fields, setFields] = useState(first);
  const set = (name, value) => setFields({ ...fields, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await put("/v1/balance/auto-reload", fields);
    say("Saved");
    reload();
  });
  return html`<form class="form" onSubmit=${save}>
    <${Check} name="Top up by itself" value=${fields.enabled} help="Three times a day at most. It resumes nothing." onChange=${(next) => set("enabled", next)} />
    <div class="row"><${Text} name="When less is free than (${currency})" ...${MONEY} required value=${fields.threshold} problem=${error?.at?.("threshold")} onInput=${(next) => set("threshold", next)} />
      <${Text} name="Pay in (${currency})" ...${MONEY} required value=${fields.amount} problem=${error?.at?.("amount")} onInput=${(next) => set("amount", next)} /></div>
    ${!["threshold", "amount"].some((name) => error?.at?.(name)) && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} type="submit" busy=${busy} disabled=${JSON.stringify(fields) === JSON.stringify(first)}>Save<//></div></form>`;
}

function Alerts({ of, reload }) {
  const [low, setLow] = useState(of.alerts.lowBalance ?? "");
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await put("/v1/balance/alerts", { lowBalance: low.trim() || null });
    say("Saved");
    reload();
  });
  return html`<${Card} name="Alert"><form class="form" onSubmit=${save}>
    <${Text} name="Call it low below (${of.currency})" optional ...${MONEY} value=${low} problem=${error?.at?.("lowBalance")} help="It is told here and on the overview." onInput=${setLow} />
    ${!error?.details?.length && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} type="submit" busy=${busy} disabled=${low === (of.alerts.lowBalance ?? "")}>Save<//></div></form><//>`;
}
