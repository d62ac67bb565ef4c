// All campaigns, and the ways to begin a new one.
import { html, useState } from "../vendor/preact.js";
import { useAction, useOnce, usePages, useRested } from "../lib/load.js";
import { go, place, setQuery, to, useTyped } from "../lib/router.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { statusWord } from "../lib/words.js";
import { ask } from "../components/dialog.js";
import { Button, Choice, Empty, Loaded, More, Page, Problem, Status, Table, Text, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";
import { buildSample, SAMPLES } from "./samples.js";
import { triggerWords } from "./trigger-words.js";

const STATES = ["DRAFT", "SCHEDULED", "RUNNING", "PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE", "COMPLETED", "COMPLETED_PARTIAL"];

export const askNewCampaign = () => ask(NewCampaign, { label: "New campaign" });

export function Screen() {
  const query = place.value.query;
  const [typed, setTyped] = useTyped("name");
  const name = useRested(typed.trim());
  const state = query.get("state") ?? "";
  const campaigns = usePages("/v1/campaigns", { name, state, limit: 25 }, { every: 10_000 });
  const isFiltered = Boolean(name || state);
  return html`<${Page} name="Campaigns" actions=${html`<${Button} primary onClick=${askNewCampaign}>New campaign<//>`}>
    <div class="filters">
      <${Text} name="Name" type="search" value=${typed} onInput=${setTyped} />
      <${Choice} name="State" value=${state} options=${[["", "All states"], ...STATES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ state: next })} />
    </div>
    <${SavedViews} list="campaigns" />
    <${Loaded} from=${campaigns} what="The list of campaigns">${(rows) => html`
      ${rows.length > 0 && html`<${Table} label="Campaigns" rows=${rows} columns=${COLUMNS} />`}
      ${!rows.length && (isFiltered
        ? html`<p class="muted">No campaign fits.</p>`
        : html`<${Empty} name="No campaigns yet" action=${html`<${Button} primary onClick=${askNewCampaign}>New campaign<//>`}>
            A campaign is a timeline of messages, waits and splits that every contact walks at their own pace.<//>`)}
      <${More} from=${campaigns} />`}<//>
  <//>`;
}

const COLUMNS = [
  { name: "Name", cell: (row) => html`<a class="title" href=${to("campaigns", row.uid)}>${row.name}</a>${row.description && html`<div class="sub">${row.description}</div>`}` },
  { name: "State", class: "tight", cell: (row) => html`<${Status} of=${row.state} />` },
  { name: "Trigger", class: "less tight", cell: (row) => triggerWords(row.trigger) },
  { name: "Audience", class: "less num", cell: (row) => (row.audience?.segmentUid ? "a segment" : row.audience ? plural(row.audience.contactCount, CONTACT) : "–") },
  { name: "Version", class: "less tight", cell: (row) => (row.latestVersion ? `v${row.latestVersion}${row.draftChanged ? " +" : ""}` : "–") },
  { name: "Changed", class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
];

function NewCampaign({ close }) {
  const [name, setName] = useState("");
  const [sample, setSample] = useState("empty");
  const send = useOnce();
  const [create, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const made = await send("/v1/campaigns", await buildSample(sample, name.trim()));
    close(made);
    go("campaigns", made.uid);
  });
  const atName = error?.at?.("name");
  return html`<form class="form" onSubmit=${create}>
    <h2>New campaign</h2>
    <${Text} name="Name" value=${name} onInput=${setName} maxlength="200" required autofocus problem=${atName} />
    <fieldset class="form"><legend>Begin with</legend>
      <div class="samples">${SAMPLES.map((each) => html`<label class="sample"><input type="radio" name="sample" checked=${each.id === sample} onChange=${() => setSample(each.id)} />
        <span><b>${each.name}</b><small>${each.words}</small></span></label>`)}</div></fieldset>
    ${!atName && html`<${Problem} of=${error} />`}
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Cancel<//><${Button} primary type="submit" busy=${busy} disabled=${!name.trim()}>Create<//></div>
  </form>`;
}
