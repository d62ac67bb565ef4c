// One segment: its conditions, how many contacts they find, and why a given contact is among them or not.
import { html, useState } from "../vendor/preact.js";
import { get, patch, post, remove } from "../lib/api.js";
import { useAction, useLoad, useRested } from "../lib/load.js";
import { readNames } from "../lib/names.js";
import { count } from "../lib/numbers.js";
import { whenWords } from "../lib/outline.js";
import { go, to } from "../lib/router.js";
import { CONTACT, plural } from "../lib/texts/en/plural.js";
import { chooseContacts, contactName } from "../components/contact-picker.js";
import { confirm } from "../components/dialog.js";
import { Button, Card, Loaded, Page, Problem, Raw, say, Text } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";
import { When } from "../components/when.js";

const BACK = { href: to("segments"), name: "Segments" };
const KINDS = ["field", "tag", "event", "consent"];

export function Screen({ path: [uid] }) {
  const segment = useLoad(async (signal) => (await Promise.all([get(`/v1/segments/${uid}`, {}, signal), readNames("nodeTypes", "channelTypes")]))[0], [uid]);
  if (!segment.data) return html`<${Page} name="Segment" back=${BACK}><${Loaded} from=${segment} what="Segments: this part" /><//>`;
  return html`<${Segment} first=${segment.data} />`;
}

function Segment({ first }) {
  const [saved, setSaved] = useState(first);
  const [parts, setParts] = useState({ name: first.name, description: first.description, filter: first.filter });
  const changed = Object.fromEntries(Object.entries(parts).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(saved[name])));
  const [save, busy, error] = useAction(async () => {
    setSaved(await patch(`/v1/segments/${first.uid}`, changed));
    say("Saved");
  });
  async function erase() {
    if (await confirm({ label: `Delete “${saved.name}”?`, text: "Campaigns that use it keep it from being deleted.", action: "Delete the segment", danger: true, act: () => remove(`/v1/segments/${first.uid}`) })) go("segments");
  }
  const set = (name, value) => setParts({ ...parts, [name]: value });
  const isChanged = Object.keys(changed).length > 0;
  return html`<${Page} name=${parts.name} back=${BACK} lead=${whenWords(parts.filter)}
      actions=${html`<${Button} quiet onClick=${erase}>Delete …<//><${Button} primary busy=${busy} disabled=${!isChanged || !parts.filter} onClick=${save}>${isChanged ? "Save" : "Saved"}<//>`}>
    <${Problem} of=${error} />
    <div class="columns">
      <${Card} name="Conditions"><div class="form">
        <${Text} name="Name" value=${parts.name} problem=${error?.at?.("name")} onInput=${(next) => set("name", next)} />
        <${Text} name="Description" value=${parts.description} optional lines="2" onInput=${(next) => set("description", next)} />
        <${When} value=${parts.filter} kinds=${KINDS} onChange=${(next) => set("filter", next)} />
      </div><//>
      <${Members} filter=${parts.filter} />
    </div>
  <//>`;
}

function Members({ filter }) {
  const rested = useRested(filter, 500);
  const [contactUid, setContact] = useState("");
  const found = useLoad((signal) => (rested ? post("/v1/segments/preview", contactUid ? { filter: rested, contactUid } : { filter: rested }, { signal }) : null), [JSON.stringify(rested), contactUid]);
  async function choose() {
    const [uid] = (await chooseContacts([], { single: true })) ?? [];
    if (uid) setContact(uid);
  }
  return html`<${Card} name="Finds" actions=${html`<${Button} onClick=${choose}>Why somebody, or why not …<//>`}><${Loaded} from=${found} what="The preview">${(of) => of === null
    ? html`<p class="muted">Add a comparison.</p>`
    : html`<p class="headline" role="status">${of.exact ? "" : "about "}<b>${count(of.count)}</b> of ${plural(of.contacts ?? 0, CONTACT)}${of.error ? html` <span class="muted">± ${count(of.error)}</span>` : ""}</p>
      ${of.contact && html`<${Explained} of=${of.contact} />`}
      <ul class="plain-rows">${of.samples.map((each) => html`<li key=${each.uid}><a href=${to("contacts", each.uid)}>${contactName(each)}</a><span class="muted">${each.email ?? each.phone ?? ""}</span></li>`)}</ul>
      ${of.count > of.samples.length && html`<p class="muted">${of.samples.length} of them</p>`}<${Raw} of=${filter} name="As JSON" />`}<//><//>`;
}

function Explained({ of }) {
  return html`<div class="notice ${of.matches ? "good" : "warn"}"><div class="grow"><p><a href=${to("contacts", of.contactUid)}><${ContactName} uid=${of.contactUid} /></a> ${of.matches ? "is among them" : "is not among them"}.</p>
    <ul>${of.comparisons.map((each) => html`<li>${each.holds ? "✓" : "✗"} ${whenWords(each.comparison)}${![null, undefined, true, false].includes(each.found) ? html` <span class="muted">(found: ${JSON.stringify(each.found)})</span>` : ""}${each.decides ? " – decides" : ""}</li>`)}</ul></div></div>`;
}
