// @ts-check
// One flow: its progress, rate and end, its statistics by step, what was not delivered, and its A/B tests.
import { html } from "../vendor/preact.js";
import { get, patch, post, remove } from "../lib/api.js";
import { serverNow } from "../lib/clock.js";
import { useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count, money, percent, share } from "../lib/numbers.js";
import { stepNames } from "../lib/outline.js";
import { go, to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { common } from "../lib/texts/en/common.js";
import { flows } from "../lib/texts/en/flows.js";
import { shortSpan, soon, span } from "../lib/times.js";
import { reasonWord, statusWord, title } from "../lib/words.js";
import { confirm } from "../components/dialog.js";
import { Bar, Button, Card, Facts, Loaded, Page, Raw, say, Status, Time } from "../components/parts.js";
import { isByOperator, Pause, pauseOfFlow } from "../components/pause.js";
import { Comparisons } from "./ab-table.js";
import { Executions } from "./execution-list.js";
import { Failures } from "./failures.js";
import { Funnel } from "./funnel.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const text = flows.flow;
const POLL_MS = 2_500;
const ENDED = ["completed", "partial_completed", "cancelled", "failed", "timeout"];
const BACK = { href: to("flows"), name: text.back };

/** @typedef {Api["FlowResponse"]} FlowData */

/** @param {{path: string[]}} props */
export function Screen({ path: [uid] }) {
  const flow = useLoad((signal) => get(`/v1/flows/${uid}`, {}, signal), [uid], { every: POLL_MS });
  const context = useLoad((signal) => readContext(flow.data, signal), [flow.data?.campaignUid, flow.data?.campaignVersion]);
  if (!flow.data) return html`<${Page} name=${text.title} back=${BACK}><${Loaded} from=${flow} what=${text.what} /><//>`;
  return html`<${Flow} flow=${flow.data} context=${context.data} reload=${flow.reload} />`;
}

/** The campaign may be deleted while its flows stay. Then the page shows the IDs of the steps. */
async function readContext(flow, signal) {
  if (!flow) return null;
  await readNames("channels", "templates");
  const path = `/v1/campaigns/${flow.campaignUid}`;
  const campaign = await get(path, {}, signal).catch(() => null);
  const version = flow.campaignVersion ? await get(`${path}/versions/${flow.campaignVersion}`, {}, signal).catch(() => null) : null;
  return { campaign, steps: version?.steps ?? campaign?.steps ?? [] };
}

/** @param {{flow: FlowData, context: Awaited<ReturnType<typeof readContext>> | undefined, reload: () => void}} props */
function Flow({ flow, context, reload }) {
  const steps = context?.steps ?? [];
  const nameOf = stepNames(steps, names.value);
  return html`<${Page} name=${context?.campaign?.name ?? text.title} back=${BACK} actions=${html`<${Actions} flow=${flow} reload=${reload} />`}
      lead=${html`<${Status} of=${flow.status} /><a href=${to("campaigns", flow.campaignUid)}>${text.campaign(flow.campaignVersion)}</a>
        ${flow.description && html`<span>${flow.description}</span>`}
        ${flow.retryOf && html`<a href=${to("flows", flow.retryOf.flowUid)}>${text.retryOf}</a>`}`}>
    <${PauseNotice} flow=${flow} />
    <${Figures} flow=${flow} />
    <${Progress} stats=${flow.stats} />
    <${Comparisons} nodes=${flow.stats.nodes} nameOf=${nameOf} />
    <${Failures} flow=${flow} />
    <${Card} name=${text.steps}><${Funnel} flow=${flow} steps=${steps} nameOf=${nameOf} /><//>
    <${Executions} flow=${flow} nameOf=${nameOf} steps=${steps} />
    <${Card} name=${text.configuration}><${Facts} of=${facts(flow)} /><${Raw} of=${flow} /><//>
  <//>`;
}

/** @param {{flow: FlowData}} props */
function Figures({ flow }) {
  const { stats } = flow;
  const { aws } = flow.cost;
  const finished = stats.completed + stats.failed + stats.skipped;
  const hasEnded = ENDED.includes(flow.status);
  const end = flow.completedAt ?? flow.pausedAt;
  const took = flow.startedAt ? (end ? new Date(end).getTime() : serverNow()) - new Date(flow.startedAt).getTime() : 0;
  const toCome = Number(stats.estimatedRemainingCost) ? text.toCome(money(stats.estimatedRemainingCost, stats.currency)) : "";
  const figure = (name, value, ...details) => html`<div><dt>${name}</dt><dd>${value} ${details.map((each) => html`<small>${each}</small>`)}</dd></div>`;
  return html`<dl class="figures">
    ${figure(text.finished, share(finished, stats.total), text.finishedOf(finished, stats.total))}
    ${figure(text.sent, count(stats.sent))}
    ${figure(text.perMinute, count(Math.round(stats.messagesPerMinute)))}
    ${figure(hasEnded ? text.took : text.runningFor, took > 0 ? shortSpan(took) : common.none)}
    ${figure(hasEnded ? text.ended : text.ends, soon(hasEnded ? flow.completedAt : stats.estimatedCompletionAt))}
    ${figure(text.spent, money(stats.spent, stats.currency), toCome, text.aws(money(aws.amount, aws.currency), aws.pricesOf))}
  </dl>`;
}

/** @param {{stats: Api["FlowStats"]}} props */
function Progress({ stats }) {
  const words = flows.progress;
  /** @type {[number, string][]} */
  const parts = Object.keys(words.states).map((name) => [stats[name], name]);
  const label = words.label(parts.map(([value, name]) => [value, words.states[name]]));
  return html`<${Card}><${Bar} of=${stats.total} parts=${parts.slice(0, 3)} label=${label} />
    <ul class="legend">${parts.map(([value, name]) => html`<li><i class="key ${name}"></i>${count(value)} ${words.states[name]}</li>`)}
      ${stats.unknown > 0 && html`<li>${words.unknown(stats.unknown)}</li>`}
      ${stats.delivered > 0 && html`<li>${words.delivered(percent(stats.deliveryRate, 1))}</li>`}
      ${stats.opened > 0 && html`<li>${words.opened(share(stats.opened, stats.sent))}</li>`}
      ${stats.clicked > 0 && html`<li>${words.clicked(share(stats.clicked, stats.sent))}</li>`}
      ${stats.bounced > 0 && html`<li>${words.bounced(stats.bounced)}</li>`}
      ${stats.retried > 0 && html`<li>${words.retries(stats.retried)}</li>`}</ul><//>`;
}

/** @param {FlowData} flow */
function facts({ configuration, ...flow }) {
  const words = flows.facts;
  const jitter = configuration.pauseBetweenContactsSaltMs;
  return [
    [words.channel, names.value.channels.get(flow.channelUid)?.name ?? flow.channelUid],
    [words.startedBy, words.starters[flow.trigger] ?? title(flow.trigger).toLowerCase()],
    [words.pause, span(configuration.pauseBetweenContactsMs)],
    [words.jitter, jitter ? words.plusMinus(span(jitter)) : null],
    [words.concurrent, configuration.maxConcurrentMessages ?? words.asChannel],
    [words.retries, count(configuration.maxRetries)],
    [words.duplicates, flow.metadata.duplicatesRemoved || null],
    [common.record.created, html`<${Time} at=${flow.createdAt} plain />`],
    [words.started, flow.startedAt && html`<${Time} at=${flow.startedAt} plain />`],
    [words.ended, flow.completedAt && html`<${Time} at=${flow.completedAt} plain />`],
    [words.endReason, reasonWord(flow.metadata.endReason)],
  ];
}

/** @param {{flow: FlowData}} props */
function PauseNotice({ flow }) {
  if (!["paused", "error"].includes(flow.status)) return null;
  const pause = pauseOfFlow(flow);
  return html`<div class="notice ${isByOperator(pause) ? "" : "warn"}" role="status"><${Pause} of=${pause} /></div>`;
}

/** @typedef {"start" | "pause" | "resume" | "cancel"} Move */

/** @type {Record<string, Move[]>} Status → the moves that the API accepts in it. */
const MOVES = { draft: ["start", "cancel"], queued: ["pause", "cancel"], running: ["pause", "cancel"], paused: ["resume", "cancel"], error: ["resume", "cancel"] };
const STATUS_AFTER = { start: "queued", pause: "paused", resume: "running", cancel: "cancelled" };

/** @param {{flow: FlowData, reload: () => void}} props */
function Actions({ flow, reload }) {
  const words = flows.actions;
  const path = `/v1/flows/${flow.uid}`;
  async function move(/** @type {Move} */ name) {
    const { label, text: body, action } = words[name];
    const changed = await confirm({ label, text: body, action, danger: name === "cancel", act: () => patch(path, { status: STATUS_AFTER[name] }) });
    if (changed) say(words.done(statusWord(changed.status).toLowerCase()));
    reload();
  }
  async function recount() {
    await post(`${path}/recount`).then(() => say(words.recounted), (error) => say(error.message, "bad"));
    reload();
  }
  async function erase() {
    if (await confirm({ ...words.deletion, danger: true, act: () => remove(path) })) go("flows");
  }
  const moves = MOVES[flow.status] ?? [];
  return html`<${Button} quiet onClick=${recount}>${words.recount}<//>
    ${!["running", "queued"].includes(flow.status) && html`<${Button} quiet onClick=${erase}>${words.delete}<//>`}
    ${moves.map((each) => html`<${Button} primary=${["start", "resume"].includes(each)} danger=${each === "cancel"} onClick=${() => move(each)}>${words[each].name}<//>`)}`;
}
