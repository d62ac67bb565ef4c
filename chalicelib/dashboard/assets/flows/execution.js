// One contact's walk: where now, where been, what was skipped and why, what comes next and when.
import { html } from "../vendor/preact.js";
import { get } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { stepNames } from "../lib/outline.js";
import { to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { span } from "../lib/times.js";
import { reasonWord, statusWord, whyOfMessage } from "../lib/words.js";
import { contactName } from "../components/contact-picker.js";
import { Facts, Loaded, Page, Raw, Status, Time } from "../components/parts.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const LIVE_MS = 3_000;
const OPEN = ["pending", "processing"];

export function Screen({ path: [flowUid, contactUid] }) {
  const back = { href: to("flows", flowUid), name: "Flow" };
  const row = useLoad((signal) => get(`/v1/flows/${flowUid}/executions/${contactUid}`, {}, signal), [flowUid, contactUid], { every: LIVE_MS });
  const around = useLoad((signal) => readAround(flowUid, contactUid, signal), [flowUid, contactUid]);
  const { contact, steps } = around.data ?? { steps: [] };
  return html`<${Page} name=${contact ? contactName(contact) : contactUid} back=${back}
      lead=${html`${row.data && html`<${Status} of=${row.data.status} />`}${contact ? html`<a href=${to("contacts", contactUid)}>Contact</a>` : html`<span>The contact is not there any more</span>`}`}>
    <${Loaded} from=${row} what="This walk">${(of) => html`<${Story} of=${of} nameOf=${stepNames(steps, names.value)} />`}<//>
  <//>`;
}

async function readAround(flowUid, contactUid, signal) {
  const [contact, flow] = await Promise.all([
    get(`/v1/contacts/${contactUid}`, {}, signal).catch(() => null),
    get(`/v1/flows/${flowUid}`, {}, signal).catch(() => null),
    readNames("channels", "templates"),
  ]);
  if (!flow?.campaignVersion) return { contact, steps: [] };
  const version = await get(`/v1/campaigns/${flow.campaignUid}/versions/${flow.campaignVersion}`, {}, signal).catch(() => null);
  return { contact, steps: version?.steps ?? [] };
}

function Story({ of, nameOf }) {
  const { history, next } = of;
  const isOpen = OPEN.includes(of.status);
  const first = history.length ? new Date(history[0].enteredAt) : new Date(of.createdAt);
  // What is to come is on the line too, up to the next moment.
  const end = next?.at ?? of.updatedAt;
  const last = new Date(Math.max(...history.map((each) => new Date(each.leftAt ?? end).getTime()), first.getTime() + 1));
  const skipped = history.filter((each) => each.message?.status === "skipped");
  return html`
    <${Facts} of=${[
      ["Where now", isOpen && of.nodeId ? nameOf(of.nodeId) : "over"],
      ["Why", isOpen || !of.reason ? of.why : `It is ${of.status}: ${reasonWord(of.reason)}`],
      ["Next", next ? html`${next.does === "leaves" ? "goes on from" : "runs"} “${nameOf(next.nodeId)}” <${Time} at=${next.at} />` : "nothing any more"],
      ["Skipped", skipped.length ? skipped.map((each) => `${nameOf(each.nodeId)}: ${reasonWord(each.message.reason)}`).join("; ") : "nothing"],
      ["Version", `v${of.campaignVersion}`],
      ["Began", html`<${Time} at=${of.createdAt} plain />`],
    ]} />
    <ol class="walk" aria-label="Where it has been">${history.map((each) => html`<${Station} of=${each} nameOf=${nameOf} first=${first} last=${last} isOpen=${isOpen} />`)}</ol>
    ${!history.length && html`<p class="muted">It has not come to a step yet.</p>`}
    <${Raw} of=${of} />`;
}

/** Came, stayed and left in one row; the bar shows when, between the first moment and the last. */
function Station({ of, nameOf, first, last, isOpen }) {
  const whole = last - first;
  const from = new Date(of.enteredAt) - first;
  const stayed = new Date(of.leftAt ?? last) - new Date(of.enteredAt);
  const { message } = of;
  const isHere = isOpen && !of.leftAt;
  return html`<li class=${isHere ? "is-here" : ""}>
    <div><b>${nameOf(of.nodeId)}</b><span class="sub">${isHere ? "is here now" : of.leftAt ? result(of) : "ended here"}</span></div>
    <div class="stretch" role="img" aria-label="${span(stayed)}" title=${span(stayed)}><i style=${{ left: `${(from / whole) * 100}%`, width: `${Math.max(0.6, (stayed / whole) * 100)}%` }}></i></div>
    <div class="num"><${Time} at=${of.enteredAt} plain /><span class="sub">${stayed > 999 ? `for ${span(stayed)}` : ""}</span></div>
    ${message && html`<div class="message-line"><${Status} of=${message.status} />
      <span class="muted">${[names.value.channels.get(message.channelUid)?.name, message.attempts > 1 ? `${message.attempts} attempts` : "", whyOfMessage(message)].filter(Boolean).join(" · ")}</span></div>`}
  </li>`;
}

function result({ exit, why, message }) {
  if (exit && exit !== "next") return `→ ${exit}${why ? ` (${why})` : ""}`;
  return message ? statusWord(message.status) : (why ?? "passed");
}
