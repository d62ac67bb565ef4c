// @ts-check
// The form of the trigger of a campaign.
import { html } from "../vendor/preact.js";
import { serverNow } from "../lib/clock.js";
import { workspace } from "../lib/session.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { moment } from "../lib/times.js";
import { Field } from "../components/field.js";
import { Check, Choice, Text } from "../components/parts.js";
import { When } from "../components/when.js";

const text = campaigns.triggerForm;
const REPEATS = Object.entries(campaigns.trigger.repeats);
const DURATION = { anyOf: [{ type: "string" }, { properties: { seconds: {} } }] };
const ZONES = Intl.supportedValuesOf("timeZone");

/** @typedef {ReturnType<typeof import("./draft.js").openDraft>} Draft */

/**
 * Return the problems of one part of a draft, from the last save and the last validation.
 * @param {Draft} draft
 * @param {string} part
 */
export function problemsAt(draft, part) {
  const refused = draft.error.value?.at(part) ?? "";
  const found = draft.problems.value.filter((each) => each.field === part || each.field.startsWith(`${part}.`));
  return [refused, ...found.map((each) => each.message)].filter(Boolean).join("; ");
}

/** Remove fields without a value. */
const tidy = (value) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== ""));
const tomorrow = () => `${new Date(serverNow() + 86_400_000).toISOString().slice(0, 10)}T09:00:00`;

/** @type {Record<string, () => any>} */
const BLANK = {
  manual: () => ({ type: "manual" }),
  api: () => ({ type: "api" }),
  scheduled: () => ({ type: "scheduled", at: tomorrow(), timezone: workspace.value?.timezone || "UTC" }),
  event: () => ({ type: "event", event: "contact.created" }),
};

/** @param {{draft: Draft}} props */
export function TriggerForm({ draft }) {
  const trigger = draft.parts.value.trigger ?? { type: "manual" };
  const set = (changes) => draft.edit({ trigger: tidy({ ...trigger, ...changes }) }, "trigger");
  const Form = FORMS[trigger.type];
  const problem = problemsAt(draft, "trigger");
  return html`<div class="form">
    <${Choice} name=${text.type} value=${trigger.type} options=${text.types} onChange=${(type) => draft.edit({ trigger: BLANK[type]() })} problem=${Form ? "" : problem} />
    ${Form && html`<${Form} draft=${draft} trigger=${trigger} set=${set} />${problem && html`<p class="problem">${problem}</p>`}`}
    ${trigger.type === "api" && html`<p class="help">${text.apiHelp(draft.uid)}</p>`}
  </div>`;
}

/** A start with an offset keeps it until it is edited; then it is a local time in `timezone`. */
function ScheduleForm({ draft, trigger, set }) {
  const isKnown = REPEATS.some(([rule]) => rule === (trigger.rrule ?? ""));
  const starts = draft.found.value?.nextStarts ?? [];
  return html`<${Text} name=${text.at} type="datetime-local" value=${trigger.at?.slice(0, 16)} help=${text.atHelp} onInput=${(next) => next && set({ at: `${next}:00` })} />
    <${Choice} name=${text.timezone} value=${trigger.timezone ?? ""} options=${[["", text.workspaceZone], ["UTC", "UTC"], ...ZONES.filter((each) => each !== "UTC").map((each) => [each, each])]} onChange=${(timezone) => set({ timezone })} />
    <${Choice} name=${text.repeat} value=${isKnown ? (trigger.rrule ?? "") : "own"} options=${[...REPEATS, ["own", text.ownRule]]}
      onChange=${(next) => set({ rrule: next === "own" ? "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO" : next })} />
    ${!isKnown && html`<${Text} name=${text.rule} value=${trigger.rrule} onInput=${(rrule) => set({ rrule })} />`}
    ${trigger.rrule && html`<${Text} name=${text.until} optional type="date" value=${trigger.until?.slice(0, 10)} onInput=${(next) => set({ until: next && `${next}T23:59:59Z` })} />
      <${Text} name=${text.count} optional type="number" min="1" value=${trigger.count} onInput=${(next) => set({ count: next ? Number(next) : undefined })} />`}
    <${Field} name="startGrace" label=${text.grace} schema=${DURATION} root=${DURATION} required value=${draft.parts.value.startGrace} path="startGrace" problemAt=${(path) => problemsAt(draft, path)}
      onChange=${(next) => next && draft.edit({ startGrace: next }, "startGrace")} />
    ${starts.length > 0 && html`<div><span class="label">${text.nextStarts}</span><ul>${starts.slice(0, 5).map((each) => html`<li>${moment(each)}</li>`)}</ul><p class="help">${text.localTime}</p></div>`}`;
}

function EventForm({ draft, trigger, set }) {
  const entry = draft.parts.value.entry ?? {};
  const setEntry = (changes) => draft.edit({ entry: tidy({ ...entry, ...changes }) }, "entry");
  return html`<${Text} name=${text.event} value=${trigger.event} placeholder=${text.eventExample} help=${text.eventHelp} onInput=${(event) => set({ event })} />
    <fieldset class="form"><legend>${text.when}</legend>
      <${When} value=${trigger.when} kinds=${["property", "field", "tag", "consent"]} onChange=${(when) => set({ when })} /></fieldset>
    <${Text} name=${text.eventUntil} optional type="date" value=${trigger.until?.slice(0, 10)} onInput=${(next) => set({ until: next && `${next}T23:59:59Z` })} />
    <${Check} name=${text.again} value=${entry.again} help=${text.againHelp} onChange=${(again) => draft.edit({ entry: again ? { again } : { again: false } })} />
    ${entry.again && html`<${Field} name="after" label=${text.after} schema=${DURATION} root=${DURATION} value=${entry.after} path="entry.after" problemAt=${(path) => problemsAt(draft, path)} onChange=${(after) => setEntry({ after })} />`}`;
}

/** @type {Record<string, any>} */
const FORMS = { scheduled: ScheduleForm, event: EventForm };
