// @ts-check
// The forms of the audience and of the settings of a campaign.
import { html, useState } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { to } from "../lib/router.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { fromMs, toMs } from "../lib/times.js";
import { title } from "../lib/words.js";
import { chooseContacts } from "../components/contact-picker.js";
import { Button, Choice, Text } from "../components/parts.js";
import { problemsAt } from "./trigger-form.js";

/** @typedef {ReturnType<typeof import("./draft.js").openDraft>} Draft */

const text = campaigns.audience;

/** @param {any} audience */
export function audienceWords(audience) {
  if (audience?.segmentUid) return names.value.segments.get(audience.segmentUid)?.name ?? text.segment;
  if (audience?.contactUids) return plural(audience.contactUids.length, CONTACT);
  return text.none;
}

/** @param {{draft: Draft}} props */
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
  const kinds = [["", text.later], ["contacts", text.contacts]];
  if (segments.length || kind === "segment") kinds.push(["segment", text.segment]);
  return html`<div class="form">
    <${Choice} name=${text.who} value=${kind} options=${kinds} onChange=${change} problem=${problem} />
    ${kind === "segment" && html`<${Choice} name=${text.segmentName} value=${audience.segmentUid} options=${segments.map((each) => [each.uid, each.name])}
      onChange=${(segmentUid) => set({ segmentUid })} /><a href=${to("segments", audience.segmentUid)}>${text.open}</a>`}
    ${kind === "contacts" && html`<p>${plural(audience.contactUids.length, CONTACT)}</p><${Button} onClick=${choose}>${text.choose}<//>`}
    ${!segments.length && html`<p class="help">${text.noSegments}</p>`}
  </div>`;
}

/** Fields that the API takes in ms, and the unit in which the form shows them. */
const UNITS = { pauseBetweenContactsMs: "s", pauseBetweenContactsSaltMs: "s", retryDelayMs: "s", timeoutMs: "min" };
const AVAILABILITIES = ["ACTIVE", "PENDING", "DEPRECATED", "INACTIVE", "BLOCKED"];

/** @param {{draft: Draft}} props */
export function SettingsForm({ draft }) {
  const words = campaigns.settings;
  const parts = draft.parts.value;
  const set = (name, value) => draft.edit({ [name]: value }, name);
  const refused = (name) => draft.error.value?.at(name) ?? "";
  const setPace = (name, value) => set("configuration", { ...parts.configuration, [name]: value });
  return html`<div class="form">
    <${Text} name=${words.name} value=${parts.name} problem=${refused("name")} onInput=${(next) => set("name", next)} />
    <${Text} name=${words.description} value=${parts.description} lines=${3} optional problem=${refused("description")} onInput=${(next) => set("description", next)} />
    <${Choice} name=${words.availability} value=${parts.availability} options=${AVAILABILITIES.map((each) => [each, title(each)])}
      help=${parts.availability === "BLOCKED" ? words.blocked : words.active}
      onChange=${(next) => set("availability", next)} />
    <fieldset class="form"><legend>${words.pace}</legend>
      ${Object.entries(words.fields).map(([name, [label, help]]) => html`<${PaceField} key=${name} name=${label} help=${help} unit=${UNITS[name]} value=${parts.configuration?.[name]}
        problem=${refused(`configuration.${name}`) || (name === "pauseBetweenContactsMs" ? refusedWhole(draft) : "")} onChange=${(next) => setPace(name, next)} />`)}
    </fieldset>
  </div>`;
}

/**
 * A number field. With a unit it shows seconds or minutes, and the value is in ms. The typed text stays until the field
 * loses the focus, because "0." is not yet a number.
 * @param {{name: string, help: string, unit?: "s" | "min", value: number | null | undefined, problem: string, onChange: (next: number | null) => void}} props
 */
function PaceField({ name, help, unit, value, problem, onChange }) {
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const stored = unit ? fromMs(value, unit) : value;
  function write(next) {
    setTyped(next);
    onChange(unit ? toMs(next, unit) : next === "" ? null : Number(next));
  }
  return html`<${Text} name=${name} help=${help} type="number" min="0" step=${unit ? "any" : "1"} value=${typed ?? stored} problem=${problem} onInput=${write} onBlur=${() => setTyped(null)} />`;
}

/** Problems of the configuration as a whole are shown at its first field. */
function refusedWhole(draft) {
  return (draft.error.value?.details ?? []).filter((each) => each.field === "configuration").map((each) => each.message).join("; ");
}
