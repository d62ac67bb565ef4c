// All flows: the runs of campaigns.
import { html, useEffect } from "../vendor/preact.js";
import { getAll } from "../lib/api.js";
import { useLoad, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count } from "../lib/numbers.js";
import { place, setQuery, to } from "../lib/router.js";
import { span } from "../lib/times.js";
import { statusWord } from "../lib/words.js";
import { Choice, Empty, Loaded, More, Page, Status, Table, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";

const STATUSES = ["draft", "queued", "running", "paused", "error", "completed", "partial_completed", "cancelled", "failed", "timeout"];

export function Screen() {
  const query = place.value.query;
  const status = query.get("status") ?? "";
  const campaignUid = query.get("campaignUid") ?? "";
  const channelUid = query.get("channelUid") ?? "";
  const flows = usePages("/v1/flows", { status, campaignUid, channelUid, limit: 25 }, { every: 8_000 });
  const campaigns = useLoad((signal) => getAll("/v1/campaigns", {}, 300, signal), []);
  useEffect(() => {
    readNames("channels");
  }, []);
  const nameOf = (uid) => campaigns.data?.find((each) => each.uid === uid)?.name ?? uid;
  const all = campaigns.data ?? [];
  return html`<${Page} name="Flows" lead="Each is one run of a campaign over its contacts.">
    <div class="filters">
      <${Choice} name="Status" value=${status} options=${[["", "All"], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ status: next })} />
      <${Choice} name="Campaign" value=${campaignUid} options=${[["", "All"], ...all.map((each) => [each.uid, each.name])]} onChange=${(next) => setQuery({ campaignUid: next })} />
      <${Choice} name="Channel" value=${channelUid} options=${[["", "All"], ...[...names.value.channels.values()].map((each) => [each.uid, each.name])]} onChange=${(next) => setQuery({ channelUid: next })} />
    </div>
    <${SavedViews} list="flows" />
    <${Loaded} from=${flows} what="The list of flows">${(rows) => html`
      ${rows.length > 0 && html`<${Table} label="Flows" rows=${rows} columns=${columns(nameOf)} />`}
      ${!rows.length && (status || campaignUid || channelUid
        ? html`<p class="muted">No flow fits.</p>`
        : html`<${Empty} name="Nothing has run yet" action=${html`<a class="button primary" href=${to("campaigns")}>To the campaigns</a>`}>Launch a campaign, and its flow appears here.<//>`)}
      <${More} from=${flows} />`}<//>
  <//>`;
}

function columns(nameOf) {
  return [
    {
      name: "Campaign",
      cell: (row) => html`<a class="title" href=${to("flows", row.uid)}>${nameOf(row.campaignUid)}</a>
        <div class="sub">${row.description || (row.retryOf ? "Retry" : "")}</div>`,
    },
    { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
    { name: "Contacts", class: "num", cell: (row) => count(row.contactCount) },
    { name: "Version", class: "less tight", cell: (row) => (row.campaignVersion ? `v${row.campaignVersion}` : "–") },
    { name: "Took", class: "less num", cell: (row) => (row.startedAt && row.completedAt ? span(new Date(row.completedAt) - new Date(row.startedAt)) : "–") },
    { name: "Created", class: "num", cell: (row) => html`<${Time} at=${row.createdAt} />` },
  ];
}
