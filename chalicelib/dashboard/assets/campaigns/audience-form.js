// Whom a campaign reaches, and how it runs: two of the forms beside the steps.
import { html } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { to } from "../lib/router.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { title } from "../lib/words.js";
import { chooseContacts } from "../components/contact-picker.js";
import { Button, Choice, Text } from "../components/parts.js";
import { problemsAt } from "./trigger-form.js";

export function audienceWords(audience) {
  if (audience?.segmentUid) return names.value.segments.get(audience.segmentUid)?.name ?? "A segment";
  if (audience?.contactUids) return plural(audience.contactUids.length, CONTACT);
  return "No audience yet";
}

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
    ${kind === "contacts" && html`<p>${plural(audience.contactUids.length, CONTACT)}</p><${Button} onClick=${choose}>Change …<//>`}
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
