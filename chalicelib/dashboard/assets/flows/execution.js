// @ts-check
// The journey of one contact in a flow: its current step, its path, what was skipped and why, and what comes next.
import { html } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { stepNames } from "../lib/outline.js";
import { to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { common } from "../lib/texts/en/common.js";
import { components } from "../lib/texts/en/components.js";
import { flows } from "../lib/texts/en/flows.js";
import { msBetween, span } from "../lib/times.js";
import { reasonWord, statusWord, whyOfMessage } from "../lib/words.js";
import { contactName } from "../components/contact-picker.js";
import { Facts, Loaded, Page, Raw, Status, Time } from "../components/parts.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const text = flows.execution;
const POLL_MS = 3_000;
const OPEN = ["pending", "processing"];

/** @typedef {Api["ExecutionDetailResponse"]} Execution */

/** @param {{path: string[]}} props */
export function Screen({ path: [flowUid, contactUid] }) {
  const back = { href: to("flows", flowUid), name: text.back };
  const execution = useLoad((signal) => get(`/v1/flows/${flowUid}/executions/${contactUid}`, {}, signal), [flowUid, contactUid], { every: POLL_MS });
  const context = useLoad((signal) => readContext(flowUid, contactUid, signal), [flowUid, contactUid]);
  const contact = context.data?.contact;
  const nameOf = stepNames(context.data?.steps ?? [], names.value);
  return html`<${Page} name=${contact ? contactName(contact) : contactUid} back=${back}
      lead=${html`${execution.data && html`<${Status} of=${execution.data.status} />`}${contact ? html`<a href=${to("contacts", contactUid)}>${text.contact}</a>` : html`<span>${text.contactGone}</span>`}`}>
    <${Loaded} from=${execution} what=${text.what}>${(of) => html`<${Journey} of=${of} nameOf=${nameOf} />`}<//>
  <//>`;
}

/** The contact, the flow or its campaign may be deleted: then the page shows IDs in place of names. */
async function readContext(flowUid, contactUid, signal) {
  const [contact, flow] = await Promise.all([
    get(`/v1/contacts/${contactUid}`, {}, signal).catch(() => null),
    get(`/v1/flows/${flowUid}`, {}, signal).catch(() => null),
    readNames("channels", "templates"),
  ]);
  if (!flow?.campaignVersion) return { contact, steps: [] };
  const version = await get(`/v1/campaigns/${flow.campaignUid}/versions/${flow.campaignVersion}`, {}, signal).catch(() => null);
  return { contact, steps: version?.steps ?? [] };
}

/** @param {{of: Execution, nameOf: (id: string) => string}} props */
function Journey({ of, nameOf }) {
  const { history, next } = of;
  const isOpen = OPEN.includes(of.status);
  const first = history.length ? history[0].enteredAt : of.createdAt;
  // The bars end at the next event, so that the current wait is visible.
  const end = String(next?.at ?? of.updatedAt);
  const total = Math.max(1, ...history.map((each) => msBetween(first, each.leftAt ?? end)));
  const skipped = history.filter((each) => each.message?.status === "skipped");
  const nextWords = (/** @type {Record<string, any>} */ { does, nodeId, at }) =>
    (does === "leaves" ? text.leaves : text.runs)(nameOf(nodeId), html`<${Time} at=${at} />`);
  return html`
    <${Facts} of=${[
      [text.now, isOpen && of.nodeId ? nameOf(of.nodeId) : text.exited],
      [text.reason, isOpen || !of.reason ? of.why : text.ended(statusWord(of.status), reasonWord(of.reason))],
      [text.next, next ? nextWords(next) : text.nothing],
      [text.skipped, skipped.length ? skipped.map((each) => text.skippedStep(nameOf(each.nodeId), reasonWord(each.message?.reason))).join("; ") : text.nothing],
      [text.version, common.version(of.campaignVersion)],
      [text.began, html`<${Time} at=${of.createdAt} plain />`],
    ]} />
    <ol class="journey" aria-label=${text.path}>${history.map((each) => html`<${Visit} of=${each} nameOf=${nameOf} first=${first} total=${total} isOpen=${isOpen} />`)}</ol>
    ${!history.length && html`<p class="muted">${text.notStarted}</p>`}
    <${Raw} of=${of} />`;
}

/** One step of the path. Its bar shows when the contact was there, relative to the whole journey. */
function Visit({ of, nameOf, first, total, isOpen }) {
  const from = msBetween(first, of.enteredAt);
  const stayed = of.leftAt ? msBetween(of.enteredAt, of.leftAt) : total - from;
  const { message } = of;
  const isHere = isOpen && !of.leftAt;
  const details = message && [names.value.channels.get(message.channelUid)?.name, message.attempts > 1 ? components.message.attempts(message.attempts) : "", whyOfMessage(message)];
  return html`<li class=${isHere ? "is-here" : ""}>
    <div><b>${nameOf(of.nodeId)}</b><span class="sub">${isHere ? text.here : of.leftAt ? result(of) : text.endedHere}</span></div>
    <div class="stretch" role="img" aria-label=${span(stayed)} title=${span(stayed)}><i style=${{ left: `${(from / total) * 100}%`, width: `${Math.max(0.6, (stayed / total) * 100)}%` }}></i></div>
    <div class="num"><${Time} at=${of.enteredAt} plain /><span class="sub">${stayed > 999 ? text.stayed(span(stayed)) : ""}</span></div>
    ${message && html`<div class="message-line"><${Status} of=${message.status} /><span class="muted">${details.filter(Boolean).join(" · ")}</span></div>`}
  </li>`;
}

function result({ exit, why, message }) {
  if (exit && exit !== "next") return text.exit(exit, why);
  return message ? statusWord(message.status) : (why ?? text.passed);
}
