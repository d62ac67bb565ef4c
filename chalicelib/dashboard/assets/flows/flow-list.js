// @ts-check
// The list of all flows.
import { html, useEffect } from "../vendor/preact.js";
import { getAll } from "../lib/api.js";
import { useLoad, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count } from "../lib/numbers.js";
import { place, setQuery, to } from "../lib/router.js";
import { common } from "../lib/texts/en/common.js";
import { flows } from "../lib/texts/en/flows.js";
import { msBetween, span } from "../lib/times.js";
import { statusWord } from "../lib/words.js";
import { Choice, Empty, Loaded, More, Page, Status, Table, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";

const text = flows.list;
const STATUSES = ["draft", "queued", "running", "paused", "error", "completed", "partial_completed", "cancelled", "failed", "timeout"];
const POLL_MS = 8_000;
/** Campaigns that the filter offers. */
const MAX_CAMPAIGNS = 300;

export function Screen() {
  const query = place.value.query;
  const [status, campaignUid, channelUid] = ["status", "campaignUid", "channelUid"].map((name) => query.get(name) ?? "");
  const found = usePages("/v1/flows", { status, campaignUid, channelUid, limit: 25 }, { every: POLL_MS });
  const campaigns = useLoad((signal) => getAll("/v1/campaigns", {}, MAX_CAMPAIGNS, signal), []);
  useEffect(() => {
    readNames("channels");
  }, []);
  const all = campaigns.data ?? [];
  const nameOf = (uid) => all.find((each) => each.uid === uid)?.name ?? uid;
  const options = (list) => [["", common.all], ...list.map((each) => [each.uid, each.name])];
  return html`<${Page} name=${text.title} lead=${text.lead}>
    <div class="filters">
      <${Choice} name=${text.status} value=${status} options=${[["", common.all], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ status: next })} />
      <${Choice} name=${text.campaign} value=${campaignUid} options=${options(all)} onChange=${(next) => setQuery({ campaignUid: next })} />
      <${Choice} name=${text.channel} value=${channelUid} options=${options([...names.value.channels.values()])} onChange=${(next) => setQuery({ channelUid: next })} />
    </div>
    <${SavedViews} list="flows" />
    <${Loaded} from=${found} what=${text.what}>${(rows) => html`
      ${rows.length > 0 && html`<${Table} label=${text.title} rows=${rows} columns=${columns(nameOf)} />`}
      ${!rows.length && (status || campaignUid || channelUid
        ? html`<p class="muted">${text.noMatch}</p>`
        : html`<${Empty} name=${text.empty.title} action=${html`<a class="button primary" href=${to("campaigns")}>${text.empty.link}</a>`}>${text.empty.text}<//>`)}
      <${More} from=${found} />`}<//>
  <//>`;
}

/** @returns {import("../components/parts.js").Column[]} */
function columns(nameOf) {
  const head = text.columns;
  return [
    {
      name: head.campaign,
      cell: (row) => html`<a class="title" href=${to("flows", row.uid)}>${nameOf(row.campaignUid)}</a>
        <div class="sub">${row.description || (row.retryOf ? text.retry : "")}</div>`,
    },
    { name: head.status, class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
    { name: head.contacts, class: "num", cell: (row) => count(row.contactCount) },
    { name: head.version, class: "less tight", cell: (row) => (row.campaignVersion ? common.version(row.campaignVersion) : common.none) },
    { name: head.took, class: "less num", cell: (row) => (row.startedAt && row.completedAt ? span(msBetween(row.startedAt, row.completedAt)) : common.none) },
    { name: head.created, class: "num", cell: (row) => html`<${Time} at=${row.createdAt} />` },
  ];
}
