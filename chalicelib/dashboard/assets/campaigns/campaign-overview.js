// @ts-check
// The panel of a campaign when no step is selected: description, progress, estimate and test run.
import { html } from "../vendor/preact.js";
import { count, money, share } from "../lib/numbers.js";
import { to } from "../lib/router.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { statusWord } from "../lib/words.js";
import { Bar, Button, Facts } from "../components/parts.js";
import { askEstimate } from "./launch-dialog.js";
import { askTestRun } from "./test-run.js";

const text = campaigns.overview;

/** @typedef {Api["CampaignStatusResponse"]} Status */

/** @param {{editor: import("./editor.js").Editor, status: Status | null | undefined}} props */
export function Overview({ editor, status }) {
  const { draft } = editor;
  return html`<div class="form">
    <div class="panel-head"><h2>${campaigns.campaign.title}</h2></div>
    ${draft.parts.value.description && html`<p>${draft.parts.value.description}</p>`}
    <div class="row">
      <${Button} onClick=${() => askEstimate(draft)}>${text.estimate}<//>
      <${Button} onClick=${() => askTestRun(draft)}>${text.testRun}<//>
      <${Button} onClick=${() => (editor.selected.value = { kind: "settings" })}>${text.settings}<//>
    </div>
    ${status?.flowUid && html`<${Progress} of=${status} />`}
    <${Affected} draft=${draft} status=${status} />
  </div>`;
}

/** @param {{of: Status}} props */
function Progress({ of }) {
  const { executions, messages } = of;
  const finished = executions.completed + executions.failed + executions.skipped;
  return html`<section class="form" aria-label=${text.progress}>
    <div class="between"><h3>${of.executions.pending + of.executions.processing ? statusWord(of.flowStatus ?? "") : text.lastFlow}</h3><a href=${to("flows", of.flowUid ?? "")}>${text.flow}</a></div>
    <${Bar} of=${executions.total} parts=${[[executions.completed, "completed"], [executions.failed, "failed"], [executions.skipped, "skipped"]]} />
    <${Facts} of=${[
      [text.finished, text.finishedOf(finished, executions.total)],
      [text.sent, count(messages.sent)],
      [text.opened, messages.opened ? share(messages.opened, messages.sent) : null],
      [text.failed, executions.failed ? count(executions.failed) : null],
      [text.skipped, executions.skipped ? count(executions.skipped) : null],
      [text.spent, Number(of.spent) ? money(of.spent, of.currency) : null],
    ]} />
  </section>`;
}

/** The contacts that keep their version while a running campaign is edited. */
function Affected({ draft, status }) {
  const server = draft.server.value;
  const isOpen = status && ["RUNNING", "PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE", "SCHEDULED"].includes(status.state);
  if (!isOpen || !server.draftChanged || !server.latestVersion) return null;
  const inside = status.executions.pending + status.executions.processing;
  return html`<p class="help">${text.editing(inside, server.latestVersion)}</p>`;
}
