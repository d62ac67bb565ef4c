// One contact: who it is, what it agreed to, what happened to it.
import { html, useState } from "../vendor/preact.js";
import { get, getPage, patch, post, remove } from "../lib/api.js";
import { useAction, useLoad, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { useSheet } from "../lib/sheets.js";
import { reasonWord, title } from "../lib/words.js";
import { contactName } from "../components/contact-picker.js";
import { confirm } from "../components/dialog.js";
import { PairsField, WordsField } from "../components/field.js";
import { Button, Card, Choice, Facts, Loaded, More, Page, Problem, Raw, say, Status, Text, Time } from "../components/parts.js";
import { CampaignName } from "../components/uid-name.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const BACK = { href: to("contacts"), name: "Contacts" };
const FIELDS = [["firstName", "First name"], ["lastName", "Last name"], ["email", "E-mail"], ["phone", "Phone"], ["externalId", "Your own id"],
  ["locale", "Locale"], ["timezone", "Time zone"]]; // prettier-ignore
const STATUSES = ["ACTIVE", "UNSUBSCRIBED", "BOUNCED", "BLOCKED"];

export function Screen({ path: [uid] }) {
  const contact = useLoad(async (signal) => (await Promise.all([get(`/v1/contacts/${uid}`, {}, signal), readNames("channelTypes")]))[0], [uid]);
  const of = contact.data;
  if (!of) return html`<${Page} name="Contact" back=${BACK}><${Loaded} from=${contact} what="This contact" /><//>`;
  async function erase() {
    const done = await confirm({
      label: `Erase ${contactName(of)}?`,
      text: "Everything known of this contact is deleted, running walks end, and a keyed hash keeps the address from being written to again. This cannot be undone.",
      action: "Erase the contact",
      danger: true,
      act: () => remove(`/v1/contacts/${uid}`),
    });
    if (done) go("contacts");
  }
  return html`<${Page} name=${contactName(of)} back=${BACK} lead=${html`<${Status} of=${of.status} /><span>${of.email ?? of.phone ?? ""}</span>`}
      actions=${html`<${Button} danger onClick=${erase}>Erase …<//>`}>
    <div class="columns">
      <div class="stack"><${Details} contact=${of} reload=${contact.reload} /></div>
      <div class="stack"><${Consent} contact=${of} reload=${contact.reload} /><${Flows} uid=${uid} /><${Timeline} key=${of.updatedAt} uid=${uid} />
        <${Card} name="Record"><${Facts} of=${[["Id", html`<code>${of.uid}</code>`], ["Created", html`<${Time} at=${of.createdAt} plain />`], ["Changed", html`<${Time} at=${of.updatedAt} plain />`]]} /><${Raw} of=${of} /><//></div>
    </div>
  <//>`;
}

function Details({ contact, reload }) {
  const [changes, setChanges] = useState({});
  const now = { ...contact, ...changes };
  const set = (name, value) => setChanges({ ...changes, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await patch(`/v1/contacts/${contact.uid}`, withoutEmpty(changes));
    say("Saved");
    await reload();
    setChanges((now) => (now === changes ? {} : now));
  });
  const problem = (name) => error?.at?.(name);
  // PATCH merges attributes: what is taken away is set to null.
  function setAttributes(next) {
    const gone = Object.keys(contact.attributes).filter((name) => !(name in next));
    set("attributes", { ...next, ...Object.fromEntries(gone.map((name) => [name, null])) });
  }
  const attributes = Object.fromEntries(Object.entries(now.attributes).filter(([, value]) => value !== null));
  return html`<${Card} name="Details"><form class="form" onSubmit=${save}>
    ${FIELDS.map(([name, words]) => html`<${Text} key=${name} name=${words} value=${now[name]} problem=${problem(name)} onInput=${(next) => set(name, next)} />`)}
    <${Choice} name="Status" value=${now.status} options=${STATUSES.map((each) => [each, title(each)])} onChange=${(next) => set("status", next)} />
    <${WordsField} common=${{ name: "Tags", problem: problem("tags") }} value=${now.tags} set=${(next) => set("tags", next)} />
    <${PairsField} label="Attributes" common=${{ name: "Attributes", problem: problem("attributes") }} value=${attributes} set=${setAttributes} />
    ${error && !error.details.some((each) => FIELDS.some(([name]) => each.field === name)) && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} primary type="submit" busy=${busy} disabled=${!Object.keys(changes).length}>Save<//>
      ${Object.keys(changes).length > 0 && html`<${Button} quiet onClick=${() => setChanges({})}>Undo<//>`}</div>
  </form><//>`;
}

/** An emptied field is no value, not an empty one. */
const withoutEmpty = (changes) => Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value === "" ? null : value]));

const MESSAGE_TYPES = ["NEWSLETTER", "MESSAGE", "CONVERSATION"];
const ANSWERS = [["", "Never asked"], ["GRANTED", "Granted"], ["REVOKED", "Revoked"], ["PENDING", "Pending"]];

function Consent({ contact, reload }) {
  const [change, busy, error] = useAction(async (channelType, messageType, state) => {
    await post(`/v1/contacts/${contact.uid}/consent`, { channelType, messageType, state, source: "dashboard" });
    say("Consent noted");
    reload();
  });
  const history = useLoad((signal) => getPage(`/v1/contacts/${contact.uid}/consent`, { limit: 10 }, signal), [contact.uid, contact.updatedAt]);
  const types = [...names.value.channelTypes.keys()].filter((each) => each !== "console");
  return html`<${Card} name="Consent">
    <div class="form">${types.map((channelType) => html`<fieldset key=${channelType}><legend>${nameOf(channelType)}</legend><div class="row">
      ${MESSAGE_TYPES.map((each) => html`<${Choice} key=${each} name=${title(each)} disabled=${busy} value=${contact.consent[channelType]?.[each] ?? ""}
        options=${contact.consent[channelType]?.[each] ? ANSWERS.slice(1) : ANSWERS} onChange=${(state) => change(channelType, each, state)} />`)}</div></fieldset>`)}
    </div>
    <${Problem} of=${error} what="Consent" />
    ${history.data?.data?.length > 0 && html`<details class="raw"><summary>What it said, and when</summary><ul class="plain-rows">${history.data.data.map((each) => html`<li>
      <span>${nameOf(each.channelType)}, ${title(each.messageType)}: ${title(each.state ?? "taken back")} <span class="muted">${each.source}</span></span><span class="muted"><${Time} at=${each.at} /></span></li>`)}</ul></details>`}
  <//>`;
}

function Flows({ uid }) {
  const flows = usePages("/v1/flows", { contactUid: uid, limit: 10 });
  return html`<${Card} name="Campaigns"><${Loaded} from=${flows} what="The list of flows">${(rows) => rows.length
    ? html`<ul class="plain-rows">${rows.map((each) => html`<li><span><a href=${to("flows", each.uid, uid)}><${CampaignName} uid=${each.campaignUid} /></a> <${Status} of=${each.status} /></span><span class="muted"><${Time} at=${each.createdAt} /></span></li>`)}</ul><${More} from=${flows} />`
    : html`<p class="muted">In no flow yet.</p>`}<//>
    <p class="below"><a href=${to("messages", { contactUid: uid })}>Messages</a></p><//>`;
}

/** What happened to this contact, newest first. */
function Timeline({ uid }) {
  const events = usePages(`/v1/contacts/${uid}/timeline`, { limit: 20 });
  return html`<${Card} name="Timeline"><${Loaded} from=${events} what="The timeline">${(rows) => rows.length
    ? html`<ol class="story">${rows.filter((each) => !isToldTwice(each)).map((each) => html`<li><p class="between"><b>${HAPPENED[each.kind]?.(each) ?? title(each.kind)}</b><span class="muted"><${Time} at=${each.at} /></span></p>
        ${each.reason && html`<p class="muted">${reasonWord(each.reason)}</p>`}
        ${each.flowUid && html`<p><a href=${to("flows", each.flowUid, uid)}>${each.campaignName ?? "The walk"}</a></p>`}</li>`)}</ol><${More} from=${events} />`
    : html`<p class="muted">Nothing yet.</p>`}<//><//>`;
}

/** What a provider reports is in the timeline as engagement, and as an event that campaigns can listen to. */
const isToldTwice = ({ kind, name }) => kind === "event" && name.startsWith("message.");

const EVENTS = { "contact.created": "Became a contact", "contact.updated": "Was changed", "contact.tagged": "Was tagged", "contact.untagged": "Lost a tag" };

const HAPPENED = {
  enrolment: () => "Entered a campaign",
  message: (each) => `Message ${(each.status ?? each.outcome ?? "").toLowerCase()}`,
  engagement: (each) => title(each.engagement),
  tags: (each) => [...each.added.map((tag) => `+ ${tag}`), ...each.removed.map((tag) => `− ${tag}`)].join(" · "),
  consent: (each) => `Consent to ${nameOf(each.channelType)}, ${title(each.messageType).toLowerCase()}: ${title(each.state ?? "taken back").toLowerCase()}`,
  event: (each) => EVENTS[each.name] ?? each.name,
};
