// @ts-check
// The contacts in a flow, filtered by status, step and reason.
import { html } from "../vendor/preact.js";
import { usePages } from "../lib/load.js";
import { place, setQuery, to } from "../lib/router.js";
import { allSteps } from "../lib/steps.js";
import { common } from "../lib/texts/en/common.js";
import { flows } from "../lib/texts/en/flows.js";
import { reasonWord, statusWord } from "../lib/words.js";
import { askExport } from "../components/export-dialog.js";
import { Button, Card, Choice, Loaded, More, Status, Table, Time } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";

const text = flows.executions;
const STATUSES = ["pending", "processing", "completed", "failed", "skipped"];
const POLL_MS = 6_000;

/** @param {{flow: Api["FlowResponse"], nameOf: (id: string) => string, steps: import("../lib/steps.js").Step[]}} props */
export function Executions({ flow, nameOf, steps }) {
  const query = place.value.query;
  const [status, nodeId, reason] = ["status", "node", "reason"].map((name) => query.get(name) ?? "");
  const executions = usePages(`/v1/flows/${flow.uid}/executions`, { status, nodeId, reason, limit: 25 }, { every: POLL_MS });
  const nodes = allSteps(steps).map(({ step }) => [step.id, nameOf(step.id)]);
  return html`<${Card} name=${text.title} actions=${html`<span class="row"><a href=${to("messages", { flowUid: flow.uid })}>${text.messages}</a>
      <${Button} quiet onClick=${() => askExport({ of: "executions", flowUid: flow.uid }, text.exported)}>${text.export}<//></span>`}>
    <div class="filters">
      <${Choice} name=${text.status} value=${status} options=${[["", common.all], ...STATUSES.map((each) => [each, statusWord(each)])]} onChange=${(next) => setQuery({ status: next })} />
      <${Choice} name=${text.step} value=${nodeId} options=${[["", common.all], ...nodes]} onChange=${(next) => setQuery({ node: next })} />
      ${reason && html`<span class="pill">${reasonWord(reason)} <${Button} quiet class="tiny" aria-label=${text.anyReason} onClick=${() => setQuery({ reason: "" })}>×<//></span>`}
    </div>
    <${Loaded} from=${executions} what=${text.what}>${(list) => html`
      ${list.length ? html`<${Table} label=${text.label} rows=${list} keyOf=${(row) => row.contactUid} columns=${columns(nameOf)} />` : html`<p class="muted">${text.noMatch}</p>`}
      <${More} from=${executions} />`}<//>
  <//>`;
}

/** @returns {import("../components/parts.js").Column[]} */
function columns(nameOf) {
  const names = text.columns;
  return [
    { name: names.contact, cell: (row) => html`<a class="title" href=${to("flows", row.flowUid, row.contactUid)}><${ContactName} uid=${row.contactUid} /></a>` },
    { name: names.status, class: "tight", cell: (row) => html`<${Status} of=${row.status} />` },
    { name: names.step, cell: (row) => (row.nodeId ? nameOf(row.nodeId) : common.none) },
    { name: names.reason, class: "less", cell: (row) => reasonWord(row.reason) },
    { name: names.next, class: "less num", cell: (row) => html`<${Time} at=${row.wakeAt} />` },
    { name: names.changed, class: "num", cell: (row) => html`<${Time} at=${row.updatedAt} />` },
  ];
}
