// @ts-check
// One contact: its data, its consent, its campaigns and its timeline.
import { html, useState } from "../vendor/preact.js";
import { get, getPage, patch, post, remove } from "../lib/api.js";
import { useAction, useLoad, usePages } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { useSheet } from "../lib/sheets.js";
import { common } from "../lib/texts/en/common.js";
import { contacts } from "../lib/texts/en/contacts.js";
import { reasonWord, title } from "../lib/words.js";
import { contactName } from "../components/contact-picker.js";
import { confirm } from "../components/dialog.js";
import { PairsField, WordsField } from "../components/field.js";
import { Button, Card, Choice, Facts, Loaded, More, Page, Problem, Raw, say, Status, Text, Time } from "../components/parts.js";
import { CampaignName } from "../components/uid-name.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const text = contacts.contact;
const BACK = { href: to("contacts"), name: text.back };
const STATUSES = ["ACTIVE", "UNSUBSCRIBED", "BOUNCED", "BLOCKED"];

/** @typedef {Api["Contact"]} ContactData */

async function readContact(uid, signal) {
  const [contact] = await Promise.all([get(`/v1/contacts/${uid}`, {}, signal), readNames("channelTypes")]);
  return contact;
}

/** @param {{path: string[]}} props */
export function Screen({ path: [uid] }) {
  const contact = useLoad((signal) => readContact(uid, signal), [uid]);
  const of = contact.data;
  if (!of) return html`<${Page} name=${text.title} back=${BACK}><${Loaded} from=${contact} what=${text.what} /><//>`;
  async function erase() {
    const { label, text: body, action } = text.erasure;
    if (await confirm({ label: label(contactName(of)), text: body, action, danger: true, act: () => remove(`/v1/contacts/${uid}`) })) go("contacts");
  }
  return html`<${Page} name=${contactName(of)} back=${BACK} lead=${html`<${Status} of=${of.status} /><span>${of.email ?? of.phone ?? ""}</span>`}
      actions=${html`<${Button} danger onClick=${erase}>${text.erase}<//>`}>
    <div class="columns">
      <div class="stack"><${Details} contact=${of} reload=${contact.reload} /></div>
      <div class="stack"><${Consent} contact=${of} reload=${contact.reload} /><${Flows} uid=${uid} /><${Timeline} key=${of.updatedAt} uid=${uid} /><${Record} of=${of} /></div>
    </div>
  <//>`;
}

function Record({ of }) {
  const { title: name, id, created, changed } = common.record;
  return html`<${Card} name=${name}><${Facts} of=${[[id, html`<code>${of.uid}</code>`], [created, html`<${Time} at=${of.createdAt} plain />`], [changed, html`<${Time} at=${of.updatedAt} plain />`]]} /><${Raw} of=${of} /><//>`;
}

/** @param {{contact: ContactData, reload: () => unknown}} props */
function Details({ contact, reload }) {
  const [changes, setChanges] = useState(/** @type {Record<string, any>} */ ({}));
  /** @type {Record<string, any>} */
  const current = { ...contact, ...changes };
  const set = (name, value) => setChanges({ ...changes, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await patch(`/v1/contacts/${contact.uid}`, withoutEmpty(changes));
    say(common.saved);
    await reload();
    setChanges((now) => (now === changes ? {} : now));
  });
  const problem = (name) => error?.at(name);
  // PATCH merges attributes, so a removed attribute is sent as null.
  function setAttributes(next) {
    const removed = Object.keys(contact.attributes).filter((name) => !(name in next));
    set("attributes", { ...next, ...Object.fromEntries(removed.map((name) => [name, null])) });
  }
  const attributes = Object.fromEntries(Object.entries(current.attributes).filter(([, value]) => value !== null));
  const isChanged = Object.keys(changes).length > 0;
  return html`<${Card} name=${text.details}><form class="form" onSubmit=${save}>
    ${text.fields.map(([name, words]) => html`<${Text} key=${name} name=${words} value=${current[name]} problem=${problem(name)} onInput=${(next) => set(name, next)} />`)}
    <${Choice} name=${text.status} value=${current.status} options=${STATUSES.map((each) => [each, title(each)])} onChange=${(next) => set("status", next)} />
    <${WordsField} common=${{ name: text.tags, problem: problem("tags") }} value=${current.tags} set=${(next) => set("tags", next)} />
    <${PairsField} label=${text.attributes} common=${{ problem: problem("attributes") }} value=${attributes} set=${setAttributes} />
    ${error && !error.details.some((each) => text.fields.some(([name]) => each.field === name)) && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} primary type="submit" busy=${busy} disabled=${!isChanged}>${common.save}<//>
      ${isChanged && html`<${Button} quiet onClick=${() => setChanges({})}>${text.undo}<//>`}</div>
  </form><//>`;
}

/** An emptied field is null, not an empty text. */
const withoutEmpty = (changes) => Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value === "" ? null : value]));

const MESSAGE_TYPES = ["NEWSLETTER", "MESSAGE", "CONVERSATION"];

/** @param {{contact: ContactData, reload: () => unknown}} props */
function Consent({ contact, reload }) {
  const words = contacts.consent;
  /** @type {Record<string, any>} */
  const consent = contact.consent;
  const [change, busy, error] = useAction(async (channelType, messageType, state) => {
    await post(`/v1/contacts/${contact.uid}/consent`, { channelType, messageType, state, source: "dashboard" });
    say(words.saved);
    reload();
  });
  const history = useLoad((signal) => getPage(`/v1/contacts/${contact.uid}/consent`, { limit: 10 }, signal), [contact.uid, contact.updatedAt]);
  const records = history.data?.data ?? [];
  const types = [...names.value.channelTypes.keys()].filter((each) => each !== "console");
  const control = (channelType, messageType) => {
    const state = consent[channelType]?.[messageType] ?? "";
    return html`<${Choice} key=${messageType} name=${nameOf(messageType)} disabled=${busy} value=${state}
      options=${state ? words.states.slice(1) : words.states} onChange=${(next) => change(channelType, messageType, next)} />`;
  };
  const entry = (of) => words.entry({ channel: nameOf(of.channelType), type: nameOf(of.messageType), state: title(of.state ?? words.removed) });
  return html`<${Card} name=${words.title}>
    <div class="form">${types.map((each) => html`<fieldset key=${each}><legend>${nameOf(each)}</legend><div class="row">${MESSAGE_TYPES.map((type) => control(each, type))}</div></fieldset>`)}</div>
    <${Problem} of=${error} what=${words.title} />
    ${records.length > 0 && html`<details class="raw"><summary>${words.history}</summary><ul class="plain-rows">${records.map((each) => html`<li>
      <span>${entry(each)} <span class="muted">${each.source}</span></span><span class="muted"><${Time} at=${each.at} /></span></li>`)}</ul></details>`}
  <//>`;
}

function Flows({ uid }) {
  const words = contacts.flows;
  const flows = usePages("/v1/flows", { contactUid: uid, limit: 10 });
  return html`<${Card} name=${words.title}><${Loaded} from=${flows} what=${words.what}>${(rows) => rows.length
    ? html`<ul class="plain-rows">${rows.map((each) => html`<li><span><a href=${to("flows", each.uid, uid)}><${CampaignName} uid=${each.campaignUid} /></a> <${Status} of=${each.status} /></span><span class="muted"><${Time} at=${each.createdAt} /></span></li>`)}</ul><${More} from=${flows} />`
    : html`<p class="muted">${words.none}</p>`}<//>
    <p class="below"><a href=${to("messages", { contactUid: uid })}>${words.messages}</a></p><//>`;
}

/** The events of the contact, newest first. */
function Timeline({ uid }) {
  const words = contacts.timeline;
  const events = usePages(`/v1/contacts/${uid}/timeline`, { limit: 20 });
  return html`<${Card} name=${words.title}><${Loaded} from=${events} what=${words.what}>${(rows) => rows.length
    ? html`<ol class="story">${rows.filter((each) => !isDuplicate(each)).map((each) => html`<li><p class="between"><b>${EVENTS[each.kind]?.(each) ?? title(each.kind)}</b><span class="muted"><${Time} at=${each.at} /></span></p>
        ${each.reason && html`<p class="muted">${reasonWord(each.reason)}</p>`}
        ${each.flowUid && html`<p><a href=${to("flows", each.flowUid, uid)}>${each.campaignName ?? words.journey}</a></p>`}</li>`)}</ol><${More} from=${events} />`
    : html`<p class="muted">${words.none}</p>`}<//><//>`;
}

/** The timeline has each report of a provider twice: as engagement, and as an event that can trigger campaigns. */
const isDuplicate = ({ kind, name }) => kind === "event" && name.startsWith("message.");

/** @type {Record<string, (event: any) => string>} */
const EVENTS = {
  enrolment: () => contacts.timeline.enrolment,
  message: (each) => contacts.timeline.message((each.status ?? each.outcome ?? "").toLowerCase()),
  engagement: (each) => title(each.engagement),
  tags: (each) => [...each.added.map((tag) => `+ ${tag}`), ...each.removed.map((tag) => `− ${tag}`)].join(" · "),
  consent: (each) => contacts.timeline.consent({ channel: nameOf(each.channelType), type: nameOf(each.messageType).toLowerCase(), state: (each.state ?? contacts.consent.removed).toLowerCase() }),
  event: (each) => contacts.timeline.events[each.name] ?? each.name,
};
