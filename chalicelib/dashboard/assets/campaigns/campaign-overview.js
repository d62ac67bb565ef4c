// The panel of a campaign while no step is selected: what it is for, how it goes, what can be looked at.
import { html } from "../vendor/preact.js";
import { count, money, share } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { statusWord } from "../lib/words.js";
import { Bar, Button, Facts } from "../components/parts.js";
import { askEstimate } from "./launch-dialog.js";
import { askTestRun } from "./test-run.js";

export function Overview({ editor, status }) {
  const { draft } = editor;
  return html`<div class="form">
    <div class="panel-head"><h2>Campaign</h2></div>
    ${draft.parts.value.description && html`<p>${draft.parts.value.description}</p>`}
    <div class="row">
      <${Button} onClick=${() => askEstimate(draft)}>Estimate<//>
      <${Button} onClick=${() => askTestRun(draft)}>Test run …<//>
      <${Button} onClick=${() => (editor.selected.value = { kind: "settings" })}>Settings<//>
    </div>
    ${status?.flowUid && html`<${Progress} of=${status} />`}
    <${Affected} draft=${draft} status=${status} />
  </div>`;
}

function Progress({ of }) {
  const { executions, messages } = of;
  const done = executions.completed + executions.failed + executions.skipped;
  return html`<section class="form" aria-label="Progress">
    <div class="between"><h3>${of.executions.pending + of.executions.processing ? statusWord(of.flowStatus) : "Last flow"}</h3><a href=${to("flows", of.flowUid)}>Open the flow</a></div>
    <${Bar} of=${executions.total} parts=${[[executions.completed, "completed"], [executions.failed, "failed"], [executions.skipped, "skipped"]]} />
    <${Facts} of=${[
      ["Over", `${count(done)} of ${count(executions.total)}`],
      ["Sent", count(messages.sent)],
      ["Opened", messages.opened ? share(messages.opened, messages.sent) : null],
      ["Failed", executions.failed ? count(executions.failed) : null],
      ["Skipped", executions.skipped ? count(executions.skipped) : null],
      ["Spent", Number(of.spent) ? money(of.spent, of.currency) : null],
    ]} />
  </section>`;
}

/** Whom an edit of a running campaign reaches. */
function Affected({ draft, status }) {
  const server = draft.server.value;
  const isOpen = status && ["RUNNING", "PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE", "SCHEDULED"].includes(status.state);
  if (!isOpen || !server.draftChanged || !server.latestVersion) return null;
  const inside = status.executions.pending + status.executions.processing;
  return html`<p class="help">You are editing the next version. ${count(inside)} waiting here keep the version with which they started (v${server.latestVersion} at most).</p>`;
}
