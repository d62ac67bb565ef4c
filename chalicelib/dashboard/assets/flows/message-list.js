// @ts-check
// The messages of a flow, a campaign or a contact. The local stack also links the sent mails.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, getAll } from "../lib/api.js";
import { useLoad, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { money } from "../lib/numbers.js";
import { stepNames } from "../lib/outline.js";
import { place, setQuery, to } from "../lib/router.js";
import { workspace } from "../lib/session.js";
import { common } from "../lib/texts/en/common.js";
import { flows } from "../lib/texts/en/flows.js";
import { statusWord, whyOfMessage } from "../lib/words.js";
import { chooseContacts } from "../components/contact-picker.js";
import { Button, Choice, Empty, Loaded, More, Page, Status, Table, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";
import { ContactName } from "../components/uid-name.js";

const text = flows.messages;
const STATUSES = ["sent", "delivered", "opened", "clicked", "replied", "bounced", "failed", "skipped", "unknown", "timed_out"];
const POLL_MS = 10_000;
const MAX_CAMPAIGNS = 300;

export function Screen() {
  const query = place.value.query;
  const [flowUid, campaignUid, contactUid, status] = ["flowUid", "campaignUid", "contactUid", "status"].map((name) => query.get(name) ?? "");
  const campaigns = useLoad((signal) => getAll("/v1/campaigns", {}, MAX_CAMPAIGNS, signal), []);
  useEffect(() => {
    readNames("channels", "templates");
  }, []);
  async function chooseContact() {
    const [chosen] = (await chooseContacts([], { single: true })) ?? [];
    if (chosen) setQuery({ contactUid: chosen, campaignUid: "", flowUid: "" });
  }
  const isFiltered = flowUid || campaignUid || contactUid;
  const byCampaign = flowUid || contactUid ? "" : campaignUid;
  return html`<${Page} name=${text.title} lead=${html`<span>${text.lead}</span><${OutboxLink} />`}>
    <div class="filters">
      <${Choice} name=${text.campaign} value=${campaignUid} options=${[["", flowUid || contactUid ? text.any : text.choose], ...(campaigns.data ?? []).map((each) => [each.uid, each.name])]}
        onChange=${(next) => setQuery({ campaignUid: next, flowUid: "", contactUid: "" })} />
      <${Choice} name=${text.status} value=${status} options=${[["", common.all], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ status: next })} />
      <${Button} onClick=${chooseContact}>${text.byContact}<//>
      ${flowUid && html`<span class="pill"><a href=${to("flows", flowUid)}>${text.oneFlow}</a></span>`}
      ${contactUid && html`<span class="pill"><a href=${to("contacts", contactUid)}>${text.oneContact}</a></span>`}
    </div>
    <${SavedViews} list="messages" />
    ${isFiltered ? html`<${List} query=${{ flowUid, campaignUid: byCampaign, contactUid, status, limit: 25 }} />` : html`<${Empty} name=${text.empty.title}>${text.empty.text}<//>`}
  <//>`;
}

/** The local stack keeps the mails that it would send. Elsewhere this page does not exist. */
function OutboxLink() {
  const [exists, setExists] = useState(false);
  const isLocal = ["127.0.0.1", "localhost"].includes(location.hostname);
  useEffect(() => {
    if (isLocal) fetch("./outbox").then((response) => setExists(response.ok), () => {});
  }, [isLocal]);
  return exists ? html`<a href="outbox" target="_blank" rel="noopener">${text.outbox}</a>` : null;
}

/** Return the steps, for their names. The messages of a contact belong to several campaigns: their steps show IDs. */
async function readSteps({ flowUid, campaignUid }, signal) {
  const flow = flowUid ? await get(`/v1/flows/${flowUid}`, {}, signal).catch(() => null) : null;
  const uid = flow?.campaignUid ?? campaignUid;
  const path = flow?.campaignVersion ? `/v1/campaigns/${uid}/versions/${flow.campaignVersion}` : `/v1/campaigns/${uid}`;
  return uid ? await get(path, {}, signal).then((found) => found.steps, () => []) : [];
}

function List({ query }) {
  const messages = usePages("/v1/messages", query, { every: POLL_MS });
  const steps = useLoad((signal) => readSteps(query, signal), [query.flowUid, query.campaignUid]);
  const nameOf = stepNames(steps.data ?? [], names.value);
  return html`<${Loaded} from=${messages} what=${text.what}>${(rows) => html`
    ${rows.length ? html`<${Table} label=${text.title} rows=${rows} columns=${columns(nameOf)} />` : html`<p class="muted">${messages.hasMore ? text.noMatchYet : text.noMatch}</p>`}
    <${More} from=${messages} />`}<//>`;
}

/** @returns {import("../components/parts.js").Column[]} */
function columns(nameOf) {
  const head = text.columns;
  return [
    { name: head.contact, cell: (row) => html`<a class="title" href=${to("flows", row.flowUid, row.contactUid)}><${ContactName} uid=${row.contactUid} /></a>` },
    { name: head.status, class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
    { name: head.step, cell: (row) => nameOf(row.nodeId) },
    { name: head.channel, class: "less", cell: (row) => names.value.channels.get(row.channelUid)?.name ?? common.none },
    { name: head.reason, class: "less", cell: whyOfMessage },
    { name: head.cost, class: "less num", cell: (row) => (Number(row.cost) ? money(row.cost, workspace.value?.currency) : common.none) },
    { name: head.at, class: "num", cell: (row) => html`<${Time} at=${row.at} />` },
  ];
}
