// Messages of a flow, a campaign or a contact; on the laptop also the mails themselves.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, getAll } from "../lib/api.js";
import { useLoad, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { money } from "../lib/numbers.js";
import { stepNames } from "../lib/outline.js";
import { place, setQuery, to } from "../lib/router.js";
import { workspace } from "../lib/session.js";
import { statusWord, whyOfMessage } from "../lib/words.js";
import { chooseContacts } from "../components/contact-picker.js";
import { Button, Choice, Empty, Loaded, More, Page, Status, Table, Time } from "../components/parts.js";
import { SavedViews } from "../components/saved-views.js";
import { ContactName } from "../components/uid-name.js";

const STATUSES = ["sent", "delivered", "opened", "clicked", "replied", "bounced", "failed", "skipped", "unknown", "timed_out"];

export function Screen() {
  const query = place.value.query;
  const [flowUid, campaignUid, contactUid, status] = ["flowUid", "campaignUid", "contactUid", "status"].map((name) => query.get(name) ?? "");
  const campaigns = useLoad((signal) => getAll("/v1/campaigns", {}, 300, signal), []);
  useEffect(() => {
    readNames("channels", "templates");
  }, []);
  async function byContact() {
    const [chosen] = (await chooseContacts([], { single: true })) ?? [];
    if (chosen) setQuery({ contactUid: chosen, campaignUid: "", flowUid: "" });
  }
  const asked = flowUid || campaignUid || contactUid;
  return html`<${Page} name="Messages" lead=${html`<span>Each is one send to one contact.</span><${OutboxLink} />`}>
    <div class="filters">
      <${Choice} name="Campaign" value=${campaignUid} options=${[["", flowUid || contactUid ? "Any" : "Choose …"], ...(campaigns.data ?? []).map((each) => [each.uid, each.name])]}
        onChange=${(next) => setQuery({ campaignUid: next, flowUid: "", contactUid: "" })} />
      <${Choice} name="Status" value=${status} options=${[["", "All"], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ status: next })} />
      <${Button} onClick=${byContact}>Of a contact …<//>
      ${flowUid && html`<span class="pill"><a href=${to("flows", flowUid)}>Of one flow</a></span>`}
      ${contactUid && html`<span class="pill"><a href=${to("contacts", contactUid)}>Of one contact</a></span>`}
    </div>
    <${SavedViews} list="messages" />
    ${asked ? html`<${List} query=${{ flowUid, campaignUid: flowUid || contactUid ? "" : campaignUid, contactUid, status, limit: 25 }} />`
      : html`<${Empty} name="Whose messages?">Messages are looked at by campaign, by flow or by contact: choose one above.<//>`}
  <//>`;
}

/** The local stack keeps what it would have sent; elsewhere there is no such page. */
function OutboxLink() {
  const [isThere, setIsThere] = useState(false);
  const isLocal = ["127.0.0.1", "localhost"].includes(location.hostname);
  useEffect(() => {
    if (isLocal) fetch("./outbox").then((answer) => setIsThere(answer.ok), () => {});
  }, [isLocal]);
  return isThere ? html`<a href="outbox" target="_blank" rel="noopener">The mails themselves</a>` : null;
}

/** Of a contact's messages the campaigns differ: their steps have their ids only. */
async function readSteps({ flowUid, campaignUid }, signal) {
  const flow = flowUid ? await get(`/v1/flows/${flowUid}`, {}, signal).catch(() => null) : null;
  const uid = flow?.campaignUid ?? campaignUid;
  const path = flow?.campaignVersion ? `/v1/campaigns/${uid}/versions/${flow.campaignVersion}` : `/v1/campaigns/${uid}`;
  return uid ? await get(path, {}, signal).then((found) => found.steps, () => []) : [];
}

function List({ query }) {
  const messages = usePages("/v1/messages", query, { every: 10_000 });
  const steps = useLoad((signal) => readSteps(query, signal), [query.flowUid, query.campaignUid]);
  const nameOf = stepNames(steps.data ?? [], names.value);
  return html`<${Loaded} from=${messages} what="The list of messages">${(rows) => html`
    ${rows.length ? html`<${Table} label="Messages" rows=${rows} columns=${columns(nameOf)} />` : html`<p class="muted">No message fits${messages.hasMore ? " so far" : ""}.</p>`}
    <${More} from=${messages} />`}<//>`;
}

const columns = (nameOf) => [
  { name: "Contact", cell: (row) => html`<a class="title" href=${to("flows", row.flowUid, row.contactUid)}><${ContactName} uid=${row.contactUid} /></a>` },
  { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
  { name: "Step", cell: (row) => nameOf(row.nodeId) },
  { name: "Channel", class: "less", cell: (row) => names.value.channels.get(row.channelUid)?.name ?? "–" },
  { name: "Why", class: "less", cell: whyOfMessage },
  { name: "Cost", class: "less num", cell: (row) => (Number(row.cost) ? money(row.cost, workspace.value?.currency) : "–") },
  { name: "When", class: "num", cell: (row) => html`<${Time} at=${row.at} />` },
];
