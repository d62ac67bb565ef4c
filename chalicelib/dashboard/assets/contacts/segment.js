// @ts-check
// One segment: its conditions, the contacts that match, and why a contact matches or not.
import { html, useState } from "../vendor/preact.js";
import { get, patch, post, remove } from "../lib/api.js";
import { useAction, useLoad, useRested } from "../lib/load.js";
import { readNames } from "../lib/names.js";
import { count } from "../lib/numbers.js";
import { whenWords } from "../lib/outline.js";
import { go, to } from "../lib/router.js";
import { common } from "../lib/texts/en/common.js";
import { contacts } from "../lib/texts/en/contacts.js";
import { chooseContacts, contactName } from "../components/contact-picker.js";
import { confirm } from "../components/dialog.js";
import { Button, Card, Loaded, Page, Problem, Raw, say, Text } from "../components/parts.js";
import { ContactName } from "../components/uid-name.js";
import { When } from "../components/when.js";

const text = contacts.segment;
const BACK = { href: to("segments"), name: text.back };
const KINDS = ["field", "tag", "event", "consent"];

async function readSegment(uid, signal) {
  const [segment] = await Promise.all([get(`/v1/segments/${uid}`, {}, signal), readNames("nodeTypes", "channelTypes")]);
  return segment;
}

/** @param {{path: string[]}} props */
export function Screen({ path: [uid] }) {
  const segment = useLoad((signal) => readSegment(uid, signal), [uid]);
  if (!segment.data) return html`<${Page} name=${text.title} back=${BACK}><${Loaded} from=${segment} what=${contacts.segments.what} /><//>`;
  return html`<${Segment} first=${segment.data} />`;
}

/** @param {{first: Api["Segment"]}} props */
function Segment({ first }) {
  const path = `/v1/segments/${first.uid}`;
  const [saved, setSaved] = useState(first);
  const [parts, setParts] = useState({ name: first.name, description: first.description, filter: first.filter });
  const changes = Object.fromEntries(Object.entries(parts).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(saved[name])));
  const [save, busy, error] = useAction(async () => {
    setSaved(await patch(path, changes));
    say(common.saved);
  });
  async function erase() {
    const { label, text: body, action } = text.deletion;
    if (await confirm({ label: label(saved.name), text: body, action, danger: true, act: () => remove(path) })) go("segments");
  }
  const set = (name, value) => setParts({ ...parts, [name]: value });
  const isChanged = Object.keys(changes).length > 0;
  return html`<${Page} name=${parts.name} back=${BACK} lead=${whenWords(parts.filter)}
      actions=${html`<${Button} quiet onClick=${erase}>${text.delete}<//><${Button} primary busy=${busy} disabled=${!isChanged || !parts.filter} onClick=${save}>${isChanged ? common.save : common.saved}<//>`}>
    <${Problem} of=${error} />
    <div class="columns">
      <${Card} name=${text.conditions}><div class="form">
        <${Text} name=${text.name} value=${parts.name} problem=${error?.at("name")} onInput=${(next) => set("name", next)} />
        <${Text} name=${text.description} value=${parts.description} optional lines=${2} onInput=${(next) => set("description", next)} />
        <${When} value=${parts.filter} kinds=${KINDS} onChange=${(next) => set("filter", next)} />
      </div><//>
      <${Members} filter=${parts.filter} />
    </div>
  <//>`;
}

function Members({ filter }) {
  const rested = useRested(filter, 500);
  const [contactUid, setContactUid] = useState("");
  const request = contactUid ? { filter: rested, contactUid } : { filter: rested };
  const found = useLoad((signal) => (rested ? post("/v1/segments/preview", request, { signal }) : null), [JSON.stringify(rested), contactUid]);
  async function choose() {
    const [uid] = (await chooseContacts([], { single: true })) ?? [];
    if (uid) setContactUid(uid);
  }
  return html`<${Card} name=${text.matching} actions=${html`<${Button} onClick=${choose}>${text.test}<//>`}><${Loaded} from=${found} what=${text.what}>${(of) => of === null
    ? html`<p class="muted">${text.noFilter}</p>`
    : html`<p class="headline" role="status">${of.exact ? "" : text.about}<b>${count(of.count)}</b>${text.of(of.contacts ?? 0)}${of.error ? html` <span class="muted">${text.error(of.error)}</span>` : ""}</p>
      ${of.contact && html`<${Explanation} of=${of.contact} />`}
      <ul class="plain-rows">${of.samples.map((each) => html`<li key=${each.uid}><a href=${to("contacts", each.uid)}>${contactName(each)}</a><span class="muted">${each.email ?? each.phone ?? ""}</span></li>`)}</ul>
      ${of.count > of.samples.length && html`<p class="muted">${text.samples(of.samples.length)}</p>`}<${Raw} of=${filter} name=${text.json} />`}<//><//>`;
}

function Explanation({ of }) {
  const hasValue = (found) => ![null, undefined, true, false].includes(found);
  return html`<div class="notice ${of.matches ? "good" : "warn"}"><div class="grow"><p><a href=${to("contacts", of.contactUid)}><${ContactName} uid=${of.contactUid} /></a>${text.matches(of.matches)}</p>
    <ul>${of.comparisons.map((each) => html`<li>${each.holds ? "✓" : "✗"} ${whenWords(each.comparison)}${hasValue(each.found) ? html` <span class="muted">${text.found(JSON.stringify(each.found))}</span>` : ""}${each.decides ? text.decides : ""}</li>`)}</ul></div></div>`;
}
