// @ts-check
// The list of all campaigns, and the dialog for a new one.
import { html, useState } from "../vendor/preact.js";
import { useAction, useOnce, usePages, useRested } from "../lib/load.js";
import { go, place, setQuery, to, useTyped } from "../lib/router.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { statusWord } from "../lib/words.js";
import { ask } from "../components/dialog.js";
import { Button, Choice, Empty, Loaded, More, Page, Problem, Status, Table, Text, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";
import { buildSample, SAMPLES } from "./samples.js";
import { triggerWords } from "./trigger-words.js";

const text = campaigns.list;
const POLL_MS = 10_000;
const STATES = ["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE", "COMPLETED", "COMPLETED_PARTIAL"];

const askNew = () => ask(NewCampaign, { label: text.create });
const newButton = () => html`<${Button} primary onClick=${askNew}>${text.create}<//>`;

export function Screen() {
  const query = place.value.query;
  const [typed, setTyped] = useTyped("name");
  const name = useRested(typed.trim());
  const state = query.get("state") ?? "";
  const found = usePages("/v1/campaigns", { name, state, limit: 25 }, { every: POLL_MS });
  const isFiltered = Boolean(name || state);
  return html`<${Page} name=${text.title} actions=${newButton()}>
    <div class="filters">
      <${Text} name=${text.name} type="search" value=${typed} onInput=${setTyped} />
      <${Choice} name=${text.state} value=${state} options=${[["", text.allStates], ...STATES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ state: next })} />
    </div>
    <${SavedViews} list="campaigns" />
    <${Loaded} from=${found} what=${text.what}>${(rows) => html`
      ${rows.length > 0 && html`<${Table} label=${text.title} rows=${rows} columns=${COLUMNS} />`}
      ${!rows.length && (isFiltered
        ? html`<p class="muted">${text.noMatch}</p>`
        : html`<${Empty} name=${text.empty.title} action=${newButton()}>${text.empty.text}<//>`)}
      <${More} from=${found} />`}<//>
  <//>`;
}

/** @type {import("../components/parts.js").Column[]} */
const COLUMNS = [
  { name: text.columns.name, cell: (row) => html`<a class="title" href=${to("campaigns", row.uid)}>${row.name}</a>${row.description && html`<div class="sub">${row.description}</div>`}` },
  { name: text.columns.state, class: "tight", cell: (row) => html`<${Status} of=${row.state} />` },
  { name: text.columns.trigger, class: "less tight", cell: (row) => triggerWords(row.trigger) },
  { name: text.columns.audience, class: "less num", cell: (row) => (row.audience?.segmentUid ? text.segment : row.audience ? plural(row.audience.contactCount, CONTACT) : common.none) },
  { name: text.columns.version, class: "less tight", cell: (row) => (row.latestVersion ? `${common.version(row.latestVersion)}${row.draftChanged ? " +" : ""}` : common.none) },
  { name: text.columns.changed, class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

function NewCampaign({ label, close }) {
  const [name, setName] = useState("");
  const [sample, setSample] = useState("empty");
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const created = await send("/v1/campaigns", await buildSample(sample, name.trim()));
    close(created);
    go("campaigns", created.uid);
  });
  const atName = error?.at("name");
  return html`<form class="form" onSubmit=${create}>
    <h2>${label}</h2>
    <${Text} name=${text.name} value=${name} onInput=${setName} maxlength="200" required autofocus problem=${atName} />
    <fieldset class="form"><legend>${text.startWith}</legend>
      <div class="samples">${SAMPLES.map((each) => html`<label class="sample"><input type="radio" name="sample" checked=${each === sample} onChange=${() => setSample(each)} />
        <span><b>${campaigns.samples[each].name}</b><small>${campaigns.samples[each].text}</small></span></label>`)}</div></fieldset>
    ${!atName && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.cancel}<//><${Button} primary type="submit" busy=${busy} disabled=${!name.trim()}>${common.create}<//></div>
  </form>`;
}
