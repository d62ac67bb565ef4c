// One flow: how far, how fast, until when; where people are; what went wrong; which variant does better.
import { html } from "../vendor/preact.js";
import { get, patch, post, remove } from "../lib/api.js";
import { serverNow } from "../lib/clock.js";
import { useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count, money, percent, share } from "../lib/numbers.js";
import { stepNames } from "../lib/outline.js";
import { go, to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { shortSpan, soon, span } from "../lib/times.js";
import { reasonWord, title } from "../lib/words.js";
import { confirm } from "../components/dialog.js";
import { Bar, Button, Card, Facts, Loaded, Page, Raw, say, Status, Time } from "../components/parts.js";
import { isByOperator, Pause, pauseOfFlow } from "../components/pause.js";
import { Comparisons } from "./ab-table.js";
import { Executions } from "./execution-list.js";
import { Failures } from "./failures.js";
import { Funnel } from "./funnel.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const LIVE_MS = 2_500;
const ENDED = ["completed", "partial_completed", "cancelled", "failed", "timeout"];

export function Screen({ path: [uid] }) {
  const flow = useLoad((signal) => get(`/v1/flows/${uid}`, {}, signal), [uid], { every: LIVE_MS });
  const around = useLoad((signal) => readAround(flow.data, signal), [flow.data?.campaignUid, flow.data?.campaignVersion]);
  if (!flow.data) return html`<${Page} name="Flow" back=${BACK}><${Loaded} from=${flow} what="This flow" /><//>`;
  return html`<${Flow} flow=${flow.data} around=${around.data} reload=${flow.reload} />`;
}

const BACK = { href: to("flows"), name: "Flows" };

/** The campaign may be deleted while its flows stay: then steps have their ids only. */
async function readAround(flow, signal) {
  if (!flow) return null;
  await readNames("channels", "templates");
  const path = `/v1/campaigns/${flow.campaignUid}`;
  const campaign = await get(path, {}, signal).catch(() => null);
  const version = flow.campaignVersion ? await get(`${path}/versions/${flow.campaignVersion}`, {}, signal).catch(() => null) : null;
  return { campaign, steps: version?.steps ?? campaign?.steps ?? [] };
}

function Flow({ flow, around, reload }) {
  const { stats, metadata } = flow;
  const over = stats.completed + stats.failed + stats.skipped;
  const nameOf = stepNames(around?.steps ?? [], names.value);
  const name = around?.campaign?.name ?? "Flow";
  const ended = flow.completedAt ?? flow.pausedAt;
  const took = flow.startedAt && (ended ? new Date(ended) : serverNow()) - new Date(flow.startedAt);
  return html`<${Page} name=${name} back=${BACK} actions=${html`<${Moves} flow=${flow} reload=${reload} />`}
      lead=${html`<${Status} of=${flow.status} /><a href=${to("campaigns", flow.campaignUid)}>Campaign${flow.campaignVersion ? ` v${flow.campaignVersion}` : ""}</a>
        ${flow.description && html`<span>${flow.description}</span>`}
        ${flow.retryOf && html`<a href=${to("flows", flow.retryOf.flowUid)}>Retry of another flow</a>`}`}>
    <${Paused} flow=${flow} />
    <dl class="figures">
      <div><dt>Over</dt><dd>${share(over, stats.total)} <small>${count(over)} of ${count(stats.total)}</small></dd></div>
      <div><dt>Sent</dt><dd>${count(stats.sent)}</dd></div>
      <div><dt>Per minute</dt><dd>${count(Math.round(stats.messagesPerMinute))}</dd></div>
      <div><dt>${ENDED.includes(flow.status) ? "Took" : "Running for"}</dt><dd>${took > 0 ? shortSpan(took) : "–"}</dd></div>
      <div><dt>${ENDED.includes(flow.status) ? "Ended" : "Ends"}</dt><dd>${soon(ENDED.includes(flow.status) ? flow.completedAt : stats.estimatedCompletionAt)}</dd></div>
      <div><dt>Spent</dt><dd>${money(stats.spent, stats.currency)} <small>${Number(stats.estimatedRemainingCost) ? `+ ${money(stats.estimatedRemainingCost, stats.currency)} to come` : ""}</small>
        <small>AWS: ${money(flow.cost.aws.amount, flow.cost.aws.currency)}, list prices of ${flow.cost.aws.pricesOf}</small></dd></div>
    </dl>
    <${Progress} stats=${stats} />
    <${Comparisons} nodes=${stats.nodes} nameOf=${nameOf} />
    <${Failures} flow=${flow} />
    <${Card} name="Steps"><${Funnel} flow=${flow} steps=${around?.steps ?? []} nameOf=${nameOf} /><//>
    <${Executions} flow=${flow} nameOf=${nameOf} steps=${around?.steps ?? []} />
    <${Card} name="Configuration"><${Facts} of=${facts(flow)} /><${Raw} of=${flow} /><//>
  <//>`;
}

function Progress({ stats }) {
  const parts = ["completed", "failed", "skipped", "processing", "pending"].map((name) => [stats[name], name]);
  return html`<${Card}><${Bar} of=${stats.total} parts=${parts.slice(0, 3)} label=${`Progress: ${parts.map(([value, name]) => `${value} ${name}`).join(", ")}`} />
    <ul class="legend">${parts.map(([value, name]) => html`<li><i class="key ${name}"></i>${count(value)} ${name}</li>`)}
      ${stats.unknown > 0 && html`<li>${count(stats.unknown)} unknown</li>`}
      ${stats.delivered > 0 && html`<li>${percent(stats.deliveryRate, 1)} delivered</li>`}
      ${stats.opened > 0 && html`<li>${share(stats.opened, stats.sent)} opened</li>`}
      ${stats.clicked > 0 && html`<li>${share(stats.clicked, stats.sent)} clicked</li>`}
      ${stats.bounced > 0 && html`<li>${count(stats.bounced)} bounced</li>`}
      ${stats.retried > 0 && html`<li>${count(stats.retried)} retries</li>`}</ul><//>`;
}

const STARTED = { launch: "a launch", manual: "an operator", api: "the API", scheduled: "the calendar", event: "events", retry: "a retry" };

function facts({ configuration: set, ...flow }) {
  return [
    ["Channel", names.value.channels.get(flow.channelUid)?.name ?? flow.channelUid],
    ["Started by", STARTED[flow.trigger] ?? title(flow.trigger).toLowerCase()],
    ["Pause between contacts", span(set.pauseBetweenContactsMs)],
    ["Random deviation", set.pauseBetweenContactsSaltMs ? `± ${span(set.pauseBetweenContactsSaltMs)}` : null],
    ["At the same time", set.maxConcurrentMessages ?? "as the channel allows"],
    ["Retries", count(set.maxRetries)],
    ["Duplicates removed", flow.metadata.duplicatesRemoved || null],
    ["Created", html`<${Time} at=${flow.createdAt} plain />`],
    ["Started", flow.startedAt && html`<${Time} at=${flow.startedAt} plain />`],
    ["Ended", flow.completedAt && html`<${Time} at=${flow.completedAt} plain />`],
    ["End reason", reasonWord(flow.metadata.endReason)],
  ];
}

function Paused({ flow }) {
  if (!["paused", "error"].includes(flow.status)) return null;
  const pause = pauseOfFlow(flow);
  return html`<div class="notice ${isByOperator(pause) ? "" : "warn"}" role="status"><${Pause} of=${pause} /></div>`;
}

/** By the table of states in product.md. */
const MOVES = {
  draft: ["start", "cancel"],
  queued: ["pause", "cancel"],
  running: ["pause", "cancel"],
  paused: ["resume", "cancel"],
  error: ["resume", "cancel"],
};
const WORDS = {
  start: { name: "Start", status: "queued", primary: true },
  pause: { name: "Pause", status: "paused", label: "Pause this flow?", text: "No new send starts after this; what is under way right now ends." },
  resume: { name: "Resume", status: "running", primary: true, label: "Resume this flow?", text: "Every contact goes on from where it was." },
  cancel: { name: "Cancel …", status: "cancelled", danger: true, label: "Cancel this flow?", text: "It cannot be taken up again. Contacts that have not finished are skipped." },
};

function Moves({ flow, reload }) {
  const path = `/v1/flows/${flow.uid}`;
  async function move({ name, status, label, text, danger }) {
    const done = await confirm({ label: label ?? `${name} this flow?`, text, action: name.replace(" …", " the flow"), danger, act: () => patch(path, { status }) });
    if (done) say(`The flow is ${done.status}`);
    reload();
  }
  async function recount() {
    await post(`${path}/recount`).then(() => say("Counted again, row by row"), (error) => say(error.message, "bad"));
    reload();
  }
  async function erase() {
    const done = await confirm({ label: "Delete this flow?", text: "Its executions and numbers are gone then.", action: "Delete the flow", danger: true, act: () => remove(path) });
    if (done) go("flows");
  }
  const moves = (MOVES[flow.status] ?? []).map((each) => WORDS[each]);
  return html`<${Button} quiet onClick=${recount}>Recount<//>
    ${!["running", "queued"].includes(flow.status) && html`<${Button} quiet onClick=${erase}>Delete …<//>`}
    ${moves.map((each) => html`<${Button} primary=${each.primary} danger=${each.danger} onClick=${() => move(each)}>${each.name}<//>`)}`;
}
