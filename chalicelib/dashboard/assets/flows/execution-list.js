// The contacts in a flow, by where they stand.
import { html } from "../vendor/preact.js";
import { usePages } from "../lib/load.js";
import { place, setQuery, to } from "../lib/router.js";
import { walk } from "../lib/steps.js";
import { reasonWord, statusWord } from "../lib/words.js";
import { askExport } from "../components/export-dialog.js";
import { Button, Card, Choice, Loaded, More, Status, Table, Time } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";

const STATUSES = ["pending", "processing", "completed", "failed", "skipped"];
const LIVE_MS = 6_000;

export function Executions({ flow, nameOf, steps }) {
  const query = place.value.query;
  const [status, nodeId, reason] = ["status", "node", "reason"].map((name) => query.get(name) ?? "");
  const rows = usePages(`/v1/flows/${flow.uid}/executions`, { status, nodeId, reason, limit: 25 }, { every: LIVE_MS });
  const nodes = walk(steps).map(({ step }) => [step.id, nameOf(step.id)]);
  return html`<${Card} name="Contacts" actions=${html`<span class="row"><a href=${to("messages", { flowUid: flow.uid })}>Messages</a>
      <${Button} quiet onClick=${() => askExport({ of: "executions", flowUid: flow.uid }, "contacts of this flow")}>Export …<//></span>`}>
    <div class="filters">
      <${Choice} name="Status" value=${status} options=${[["", "All"], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ status: next })} />
      <${Choice} name="Step" value=${nodeId} options=${[["", "All"], ...nodes]} onChange=${(next) => setQuery({ node: next })} />
      ${reason && html`<span class="pill">${reasonWord(reason)} <${Button} quiet class="tiny" aria-label="Any reason" onClick=${() => setQuery({ reason: "" })}>×<//></span>`}
    </div>
    <${Loaded} from=${rows} what="The list of contacts">${(list) => html`
      ${list.length ? html`<${Table} label="Contacts in this flow" rows=${list} keyOf=${(row) => row.contactUid} columns=${columns(nameOf)} />` : html`<p class="muted">Nobody.</p>`}
      <${More} from=${rows} />`}<//>
  <//>`;
}

function columns(nameOf) {
  return [
    { name: "Contact", cell: (row) => html`<a class="title" href=${to("flows", row.flowUid, row.contactUid)}><${ContactName} uid=${row.contactUid} /></a>` },
    { name: "Status", class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
    { name: "Step", cell: (row) => (row.nodeId ? nameOf(row.nodeId) : "–") },
    { name: "Why", class: "less", cell: (row) => reasonWord(row.reason) },
    { name: "Next", class: "less num", cell: (row) => html`<${Time} at=${row.wakeAt} />` },
    { name: "Changed", class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
  ];
}
