// What starts a campaign, whom it reaches, and how it runs: the forms beside the steps.
import { html } from "./vendor.js";
import { chooseContacts } from "./contactpicker.js";
import { toLocal } from "./field.js";
import { names } from "./names.js";
import { Button, Choice, Text } from "./parts.js";
import { to } from "./router.js";
import { workspace } from "./session.js";
import { moment, plural, title } from "./words.js";
import { When } from "./when.js";

const TRIGGERS = [
  ["manual", "By hand: an operator presses start"],
  ["api", "By API: another program starts it"],
  ["scheduled", "At a time, once or again and again"],
  ["event", "Whenever something happens"],
];
const REPEATS = [["", "Once"], ["FREQ=DAILY", "Every day"], ["FREQ=WEEKLY", "Every week"], ["FREQ=MONTHLY", "Every month"]];

export function triggerWords(trigger) {
  switch (trigger?.type) {
    case "scheduled":
      return `${trigger.rrule ? "Repeated, from" : "Scheduled"} ${moment(trigger.at)}`;
    case "event":
      return `Event · ${trigger.event || trigger.name || "…"}`;
    case "api":
      return "Started by API";
    default:
      return "Started by hand";
  }
}

export function audienceWords(audience) {
  if (audience?.segmentUid) return names.value.segments.get(audience.segmentUid)?.name ?? "A segment";
  if (audience?.contactUids) return plural(audience.contactUids.length, "contact");
  return "No audience yet";
}

function problemsAt(draft, part) {
  const refused = draft.error.value?.at?.(part) ?? "";
  const found = draft.problems.value.filter((each) => each.field === part || each.field.startsWith(`${part}.`));
  return [refused, ...found.map((each) => each.message)].filter(Boolean).join("; ");
}

/** A trigger that this server does not know is refused by it, and the reason stands here. */
export function TriggerForm({ draft }) {
  const trigger = draft.parts.value.trigger ?? { type: "manual" };
  const set = (changes) => draft.edit({ trigger: tidy({ ...trigger, ...changes }) }, "trigger");
  const change = (type) => draft.edit({ trigger: BLANK[type]() });
  const Form = TRIGGER_FORMS[trigger.type];
  const problem = problemsAt(draft, "trigger");
  return html`<div class="form">
    <${Choice} name="Started" value=${trigger.type} options=${TRIGGERS} onChange=${change} problem=${Form ? "" : problem} />
    ${Form && html`<${Form} trigger=${trigger} set=${set} />${problem && html`<p class="problem">${problem}</p>`}`}
    ${trigger.type === "api" && html`<p class="help">POST …/v1/campaigns/${draft.uid}/trigger with a key that may write.</p>`}
  </div>`;
}

const zone = () => workspace.value?.timezone || "UTC";
const tomorrow = () => `${new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)}T09:00:00Z`;
const BLANK = {
  manual: () => ({ type: "manual" }),
  api: () => ({ type: "api" }),
  scheduled: () => ({ type: "scheduled", at: tomorrow(), timezone: zone() }),
  event: () => ({ type: "event", event: "" }),
};

const tidy = (value) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined && each !== ""));

function ScheduleForm({ trigger, set }) {
  const known = REPEATS.some(([rule]) => rule === (trigger.rrule ?? ""));
  return html`<${Text} name="At" type="datetime-local" value=${toLocal(trigger.at)} help="In your time zone"
      onInput=${(next) => next && set({ at: new Date(next).toISOString() })} />
    <${Text} name="Time zone of repetitions" value=${trigger.timezone} onInput=${(timezone) => set({ timezone })} help="IANA name, e.g. Europe/Berlin" />
    <${Choice} name="Repeat" value=${known ? (trigger.rrule ?? "") : "own"} options=${[...REPEATS, ["own", "By a rule of my own"]]}
      onChange=${(next) => set({ rrule: next === "own" ? "FREQ=WEEKLY;BYDAY=MO" : next })} />
    ${!known && html`<${Text} name="Rule (RRULE)" value=${trigger.rrule} onInput=${(rrule) => set({ rrule })} />`}`;
}

function EventForm({ trigger, set }) {
  return html`<${Text} name="Event" value=${trigger.event} placeholder="contact.created" onInput=${(event) => set({ event })} />
    <fieldset class="form"><legend>Only when</legend>
      <${When} value=${trigger.when} kinds=${["property", "field", "tag", "consent"]} onChange=${(when) => set({ when })} /></fieldset>`;
}

const TRIGGER_FORMS = { scheduled: ScheduleForm, event: EventForm };

export function AudienceForm({ draft }) {
  const audience = draft.parts.value.audience;
  const kind = audience?.contactUids ? "contacts" : audience ? "segment" : "";
  const segments = [...names.value.segments.values()];
  const problem = problemsAt(draft, "audience");
  const set = (next) => draft.edit({ audience: next });
  async function choose() {
    const chosen = await chooseContacts(audience?.contactUids ?? []);
    if (chosen) set(chosen.length ? { contactUids: chosen } : null);
  }
  function change(next) {
    if (next === "contacts") choose();
    else set(next === "segment" ? { segmentUid: segments[0]?.uid } : null);
  }
  const kinds = [["", "Nobody yet: named when it is started"], ["contacts", "Contacts, one by one"]];
  if (segments.length || kind === "segment") kinds.push(["segment", "A segment"]);
  return html`<div class="form">
    <${Choice} name="Who" value=${kind} options=${kinds} onChange=${change} problem=${problem} />
    ${kind === "segment" && html`<${Choice} name="Segment" value=${audience.segmentUid} options=${segments.map((each) => [each.uid, each.name])}
      onChange=${(segmentUid) => set({ segmentUid })} /><a href=${to("segments", audience.segmentUid)}>Open the segment</a>`}
    ${kind === "contacts" && html`<p>${plural(audience.contactUids.length, "contact")}</p><${Button} onClick=${choose}>Change …<//>`}
    ${!segments.length && html`<p class="help">Segments appear here once there are some.</p>`}
  </div>`;
}

const PACE = [
  ["pauseBetweenContactsMs", "Pause between contacts (ms)", "Base pause between the starts of two sends"],
  ["pauseBetweenContactsSaltMs", "Random deviation (ms)", "Pause = base ± up to this"],
  ["maxConcurrentMessages", "Messages at the same time", "1–10; empty is as many as the channel allows"],
  ["maxRetries", "Retries", "Attempts after the first"],
  ["retryDelayMs", "Delay before a retry (ms)", ""],
  ["timeoutMs", "Wait for a receipt (ms)", "Then the message counts as timed out"],
];
const AVAILABILITIES = ["ACTIVE", "PENDING", "DEPRECATED", "INACTIVE", "BLOCKED"];

export function SettingsForm({ draft }) {
  const parts = draft.parts.value;
  const set = (name, value) => draft.edit({ [name]: value }, name);
  const refused = (name) => draft.error.value?.at?.(name) ?? "";
  const pace = (name, text) => set("configuration", { ...parts.configuration, [name]: text === "" ? null : Number(text) });
  return html`<div class="form">
    <${Text} name="Name" value=${parts.name} problem=${refused("name")} onInput=${(next) => set("name", next)} />
    <${Text} name="Description" value=${parts.description} lines=${3} optional problem=${refused("description")} onInput=${(next) => set("description", next)} />
    <${Choice} name="Availability" value=${parts.availability} options=${AVAILABILITIES.map((each) => [each, title(each)])}
      help=${parts.availability === "BLOCKED" ? "Blocked campaigns start nothing, and running flows are paused." : "Only active campaigns start new flows."}
      onChange=${(next) => set("availability", next)} />
    <fieldset class="form"><legend>Pace and retries</legend>
      ${PACE.map(([name, label, help]) => html`<${Text} key=${name} name=${label} help=${help} type="number" min="0" value=${parts.configuration?.[name]}
        problem=${refused(`configuration.${name}`) || (name === "pauseBetweenContactsMs" ? refusedWhole(draft) : "")} onInput=${(text) => pace(name, text)} />`)}
    </fieldset>
  </div>`;
}

/** What is wrong with the configuration as a whole belongs to its first field. */
function refusedWhole(draft) {
  return (draft.error.value?.details ?? []).filter((each) => each.field === "configuration").map((each) => each.message).join("; ");
}
