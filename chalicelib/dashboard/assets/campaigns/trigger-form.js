// The form for what starts a campaign.
import { html } from "../vendor/preact.js";
import { serverNow } from "../lib/clock.js";
import { workspace } from "../lib/session.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { moment } from "../lib/times.js";
import { Field } from "../components/field.js";
import { Check, Choice, Text } from "../components/parts.js";
import { When } from "../components/when.js";

const TRIGGERS = [
  ["manual", "By hand: an operator presses start"],
  ["api", "By API: another program starts it"],
  ["scheduled", "At a time, once or again and again"],
  ["event", "Whenever a contact does something"],
];
const REPEATS = Object.entries(campaigns.trigger.repeats);
const DURATION = { anyOf: [{ type: "string" }, { properties: { seconds: {} } }] };
const ZONES = Intl.supportedValuesOf("timeZone");

/** What is wrong with one part of a draft: refused when it was saved, or found when it was examined. */
export function problemsAt(draft, part) {
  const refused = draft.error.value?.at?.(part) ?? "";
  const found = draft.problems.value.filter((each) => each.field === part || each.field.startsWith(`${part}.`));
  return [refused, ...found.map((each) => each.message)].filter(Boolean).join("; ");
}

const tidy = (value) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== ""));
const tomorrow = () => `${new Date(serverNow() + 86_400_000).toISOString().slice(0, 10)}T09:00:00`;

const BLANK = {
  manual: () => ({ type: "manual" }),
  api: () => ({ type: "api" }),
  scheduled: () => ({ type: "scheduled", at: tomorrow(), timezone: workspace.value?.timezone || "UTC" }),
  event: () => ({ type: "event", event: "contact.created" }),
};

export function TriggerForm({ draft }) {
  const trigger = draft.parts.value.trigger ?? { type: "manual" };
  const set = (changes) => draft.edit({ trigger: tidy({ ...trigger, ...changes }) }, "trigger");
  const Form = FORMS[trigger.type];
  const problem = problemsAt(draft, "trigger");
  return html`<div class="form">
    <${Choice} name="Started" value=${trigger.type} options=${TRIGGERS} onChange=${(type) => draft.edit({ trigger: BLANK[type]() })} problem=${Form ? "" : problem} />
    ${Form && html`<${Form} draft=${draft} trigger=${trigger} set=${set} />${problem && html`<p class="problem">${problem}</p>`}`}
    ${trigger.type === "api" && html`<p class="help">POST /v1/campaigns/${draft.uid}/trigger with a key that may write.</p>`}
  </div>`;
}

/** What was written with an offset stays so until it is edited; then it is the time where `timezone` is. */
function ScheduleForm({ draft, trigger, set }) {
  const isKnown = REPEATS.some(([rule]) => rule === (trigger.rrule ?? ""));
  const starts = draft.found.value?.nextStarts ?? [];
  return html`<${Text} name="At" type="datetime-local" value=${trigger.at?.slice(0, 16)} help="In the time zone below" onInput=${(next) => next && set({ at: `${next}:00` })} />
    <${Choice} name="Time zone" value=${trigger.timezone ?? ""} options=${[["", "The workspace’s"], ["UTC", "UTC"], ...ZONES.filter((each) => each !== "UTC").map((each) => [each, each])]} onChange=${(timezone) => set({ timezone })} />
    <${Choice} name="Repeat" value=${isKnown ? (trigger.rrule ?? "") : "own"} options=${[...REPEATS, ["own", "By a rule of my own"]]}
      onChange=${(next) => set({ rrule: next === "own" ? "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO" : next })} />
    ${!isKnown && html`<${Text} name="Rule (RRULE)" value=${trigger.rrule} onInput=${(rrule) => set({ rrule })} />`}
    ${trigger.rrule && html`<${Text} name="Until" optional type="date" value=${trigger.until?.slice(0, 10)} onInput=${(next) => set({ until: next && `${next}T23:59:59Z` })} />
      <${Text} name="At most so many times" optional type="number" min="1" value=${trigger.count} onInput=${(next) => set({ count: next ? Number(next) : undefined })} />`}
    <${Field} name="May start so much later" schema=${DURATION} root=${DURATION} required value=${draft.parts.value.startGrace} path="startGrace" problemAt=${(path) => problemsAt(draft, path)}
      onChange=${(next) => next && draft.edit({ startGrace: next }, "startGrace")} />
    ${starts.length > 0 && html`<div><span class="label">Next starts</span><ul>${starts.slice(0, 5).map((each) => html`<li>${moment(each)}</li>`)}</ul><p class="help">In your time zone</p></div>`}`;
}

function EventForm({ draft, trigger, set }) {
  const entry = draft.parts.value.entry ?? {};
  const setEntry = (changes) => draft.edit({ entry: tidy({ ...entry, ...changes }) }, "entry");
  return html`<${Text} name="Event" value=${trigger.event} placeholder="order.placed" help="A name that your systems report, or one of Carillon’s own such as contact.created" onInput=${(event) => set({ event })} />
    <fieldset class="form"><legend>Only when</legend>
      <${When} value=${trigger.when} kinds=${["property", "field", "tag", "consent"]} onChange=${(when) => set({ when })} /></fieldset>
    <${Text} name="Nobody enters after" optional type="date" value=${trigger.until?.slice(0, 10)} onInput=${(next) => set({ until: next && `${next}T23:59:59Z` })} />
    <${Check} name="A contact may enter again" value=${entry.again} help="Once it is through." onChange=${(again) => draft.edit({ entry: again ? { again } : { again: false } })} />
    ${entry.again && html`<${Field} name="Not before" schema=${DURATION} root=${DURATION} value=${entry.after} path="entry.after" problemAt=${(path) => problemsAt(draft, path)} onChange=${(after) => setEntry({ after })} />`}`;
}

const FORMS = { scheduled: ScheduleForm, event: EventForm };
