// @ts-check
// Contacts that failed or were skipped, grouped by reason, and the retry of each group.
import { html } from "../vendor/preact.js";
import { useOnce } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { go, to } from "../lib/router.js";
import { flows } from "../lib/texts/en/flows.js";
import { reasonWord } from "../lib/words.js";
import { confirm } from "../components/dialog.js";
import { Button, Card, say, Time } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";

const text = flows.failures;
/** The API rejects a retry of a running flow with 409, so these statuses have no button. */
const RUNNING = ["draft", "queued", "running"];

/** @typedef {{of: "failed" | "skipped" | "unknown", reason?: string, amount: number}} Group */

/** @param {{flow: Api["FlowResponse"]}} props */
export function Failures({ flow }) {
  const { failureReasons, skipReasons, errors } = flow.metadata;
  /** @type {Group[]} */
  const groups = [];
  for (const [reason, amount] of Object.entries(failureReasons)) groups.push({ of: "failed", reason, amount });
  for (const [reason, amount] of Object.entries(skipReasons)) groups.push({ of: "skipped", reason, amount });
  if (flow.stats.unknown) groups.push({ of: "unknown", amount: flow.stats.unknown });
  groups.sort((one, other) => other.amount - one.amount);
  if (!groups.length) return null;
  return html`<${Card} name=${text.title}>
    <ul class="plain-rows">${groups.map((each) => html`<li key=${`${each.of} ${each.reason}`}><${FailureGroup} flow=${flow} group=${each} /></li>`)}</ul>
    ${errors.length > 0 && html`<details class="raw"><summary>${text.latest(errors.length)}</summary>
      <ul class="plain-rows">${errors.map((each) => html`<${LatestError} flow=${flow} of=${each} />`)}</ul></details>`}
  <//>`;
}

function LatestError({ flow, of: { contactUid, message, code, at } }) {
  return html`<li><span><a href=${to("flows", flow.uid, contactUid)}><${ContactName} uid=${contactUid} /></a> ${message || reasonWord(code)}</span>
    <span class="muted"><${Time} at=${at} /></span></li>`;
}

/** @param {{flow: Api["FlowResponse"], group: Group}} props */
function FailureGroup({ flow, group: { of, reason, amount } }) {
  const canRetry = !RUNNING.includes(flow.status) && reason !== "cancelled";
  const send = useOnce();
  async function retry() {
    const created = await confirm({
      label: text.retryTitle(amount),
      text: text.retryTexts[of],
      action: text.start,
      danger: of === "unknown",
      act: () => send(`/v1/flows/${flow.uid}/retry`, reason ? { of, reason } : { of }),
    });
    if (!created) return;
    say(text.started);
    go("flows", created.uid);
  }
  return html`<span class="grow"><b class=${of === "failed" ? "is-bad" : ""}>${count(amount)}</b> ${text.kinds[of]}${reason ? `: ${reasonWord(reason)}` : ""}</span>
    <a href=${of === "unknown" ? to("messages", { flowUid: flow.uid, status: of }) : to("flows", flow.uid, { status: of, reason })}>${text.contacts}</a>
    ${canRetry && html`<${Button} onClick=${retry}>${text.retry}<//>`}`;
}
