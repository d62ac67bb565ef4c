// @ts-check
// One channel: its circuit, settings and health, and a test send.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, post, put, remove } from "../lib/api.js";
import { useAction, useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { workspace } from "../lib/session.js";
import { span } from "../lib/times.js";
import { reasonWord, title } from "../lib/words.js";
import { common } from "../lib/texts/en/common.js";
import { workspaceTexts } from "../lib/texts/en/workspace.js";
import { confirm } from "../components/dialog.js";
import { SchemaForm } from "../components/field.js";
import { Bar, Button, Card, Check, Choice, Facts, Loaded, Page, Problem, Raw, say, Status, Text, Time } from "../components/parts.js";
import { askTestSend } from "../components/test-send.js";
import { channelState } from "./channel-list.js";

const text = workspaceTexts.channel;
const POLL_MS = 10_000;
const BACK = { href: to("channels"), name: text.back };

/** @typedef {Api["ChannelResponse"]} ChannelData */

/** @param {{path: string[]}} props */
export function Screen({ path: [uid] }) {
  const channel = useLoad((signal) => get(`/v1/channels/${uid}`, {}, signal), [uid], { every: POLL_MS });
  useEffect(() => {
    readNames("channelTypes", "templates");
  }, []);
  const { record } = common;
  /** @type {ChannelData | undefined} */
  const of = channel.data;
  if (!of) return html`<${Page} name=${text.title} back=${BACK}><${Loaded} from=${channel} what=${text.what} /><//>`;
  async function erase() {
    const { label, text: body, action } = text.deletion;
    if (await confirm({ label: label(of?.name), text: body, action, danger: true, act: () => remove(`/v1/channels/${uid}`) })) go("channels");
  }
  return html`<${Page} name=${of.name} back=${BACK} lead=${html`<${Status} of=${channelState(of)} /><span>${nameOf(of.type)}</span>`}
      actions=${html`<${Button} quiet onClick=${erase}>${text.delete}<//><${Button} primary onClick=${() => askTestSend({ channel: of })}>${text.test}<//>`}>
    <${Circuit} channel=${of} reload=${channel.reload} />
    <div class="columns"><${Settings} key=${of.uid} channel=${of} reload=${channel.reload} />
      <div class="stack"><${Health} channel=${of} /><${Card} name=${record.title}><${Facts} of=${[[record.id, html`<code>${of.uid}</code>`], [record.created, html`<${Time} at=${of.createdAt} plain />`], [record.changed, html`<${Time} at=${of.updatedAt} plain />`]]} />
        <p class="below"><a href=${to("flows", { channelUid: of.uid })}>${text.flows}</a></p><${Raw} of=${of} /><//></div></div>
  <//>`;
}

/**
 * The notice of a circuit that is not closed, and the button that closes it.
 * @param {{channel: ChannelData, reload: () => unknown}} props
 */
function Circuit({ channel, reload }) {
  const words = workspaceTexts.circuit;
  const { circuit } = channel;
  const [close, busy, error] = useAction(async () => {
    await post(`/v1/channels/${channel.uid}/circuit/close`);
    say(words.closed);
    reload();
  });
  if (circuit.state === "closed") return null;
  const isDue = !circuit.retryAfter || new Date(circuit.retryAfter).getTime() <= Date.now();
  return html`<div class="notice warn" role="status"><div class="grow"><p><b>${words.state(title(circuit.state).toLowerCase())}</b>${circuit.since && words.since(html`<${Time} at=${circuit.since} plain />`)}${words.cause(reasonWord(circuit.cause))}
      ${isDue ? words.test : words.later(html`<${Time} at=${circuit.retryAfter} plain />`)}</p>
      <${Problem} of=${error} what=${words.closing} /></div>
    <${Button} busy=${busy} onClick=${close}>${words.close}<//></div>`;
}

/**
 * Circuit, rate, quota, queue and the last faults of a channel.
 * @param {{channel: ChannelData}} props
 */
function Health({ channel: { circuit, rate } }) {
  const words = workspaceTexts.health;
  const queue = rate.backlogSeconds >= 1 ? words.wait(span(rate.backlogSeconds * 1000)) : words.empty;
  const quota = rate.perDay && html`${words.sentToday(rate.sentToday, rate.perDay)}<${Bar} of=${rate.perDay} parts=${[[rate.sentToday, "completed"]]} label=${words.bar(rate.sentToday, rate.perDay)} />`;
  return html`<${Card} name=${words.title}><${Facts} of=${[
      [words.circuit, html`<${Status} of=${circuit.state} />`],
      [words.rate, rate.perSecond ? words.perSecond(rate.perSecond) : words.noRate],
      [words.today, quota || words.noLimit],
      [words.queue, queue],
      [words.heldUntil, rate.heldUntil && html`<${Time} at=${rate.heldUntil} plain />`],
    ]} />
    ${circuit.lastFaults.length > 0 && html`<div class="below"><h3>${words.faults}</h3><ul class="plain-rows">${circuit.lastFaults.toReversed().map((each) => html`<li>
      <span>${reasonWord(each.code)}</span><span class="muted"><${Time} at=${each.at} /></span></li>`)}</ul></div>`}<//>`;
}

const APPROVALS = ["approved", "pending", "blocked"];
/** The fields that PUT takes. */
const WRITTEN = ["name", "type", "settings", "approval", "active", "lostAnswer", "reportsReceipts", "trackOpens", "trackClicks", "ratePerSecond", "dailyCap", "prices", "pricesByPrefix"]; // prettier-ignore
/**
 * The form of the settings. Another user may save the channel at the same time: changed fields keep what was typed, and
 * the other fields follow the channel.
 * @param {{channel: ChannelData, reload: () => unknown}} props
 */
function Settings({ channel, reload }) {
  const words = workspaceTexts.channelForm;
  const [typed, setTyped] = useState(/** @type {Record<string, any>} */ ({}));
  const [saved, setSaved] = useState(channel);
  const newest = saved.updatedAt > channel.updatedAt ? saved : channel;
  /** @type {Record<string, any>} */
  const fields = { ...Object.fromEntries(WRITTEN.map((name) => [name, newest[name]])), ...typed };
  const set = (name, value) => setTyped((now) => ({ ...now, [name]: value }));
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setSaved(await put(`/v1/channels/${channel.uid}`, fields));
    // Text that was typed during the request is not saved yet.
    setTyped((now) => Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== typed[name])));
    say(common.saved);
    reload();
  });
  const problemAt = (field) => error?.at(field) ?? "";
  const setNumber = (name, next) => set(name, next === "" ? null : Number(next));
  const schema = names.value.channelTypes.get(channel.type)?.settings;
  return html`<${Card} name=${words.title}><form class="form" onSubmit=${save}>
    <${Text} name=${words.name} value=${fields.name} problem=${problemAt("name")} onInput=${(next) => set("name", next)} />
    ${schema && html`<${SchemaForm} schema=${schema} value=${fields.settings} path="settings" problemAt=${problemAt} onChange=${(next) => set("settings", next)} />`}
    <${Choice} name=${words.approval} value=${fields.approval} options=${APPROVALS.map((each) => [each, title(each)])} onChange=${(next) => set("approval", next)} />
    ${words.checks.map(([name, label, help]) => html`<${Check} key=${name} name=${label} help=${help} value=${fields[name]} onChange=${(next) => set(name, next)} />`)}
    <${Choice} name=${words.lostAnswer} value=${fields.lostAnswer} options=${words.lostAnswers} onChange=${(next) => set("lostAnswer", next)} />
    <div class="row"><${Text} name=${words.perSecond} optional type="number" min="0.01" step="any" value=${fields.ratePerSecond} problem=${problemAt("ratePerSecond")} placeholder=${words.accountLimit} onInput=${(next) => setNumber("ratePerSecond", next)} />
      <${Text} name=${words.perDay} optional type="number" min="1" value=${fields.dailyCap} problem=${problemAt("dailyCap")} placeholder=${words.accountLimit} onInput=${(next) => setNumber("dailyCap", next)} /></div>
    <${Prices} fields=${fields} set=${set} problemAt=${problemAt} />
    ${error && !error.details.length && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} primary type="submit" busy=${busy}>${common.save}<//></div></form><//>`;
}

/** The prices of one message by type. Prices of countries are set with the API only. */
function Prices({ fields: { prices, pricesByPrefix }, set, problemAt }) {
  const words = workspaceTexts.channelForm;
  const setPrice = (type, price) => {
    const others = Object.fromEntries(Object.entries(prices).filter(([each]) => each !== type));
    set("prices", price === "" ? others : { ...others, [type]: price });
  };
  const prefixes = Object.keys(pricesByPrefix);
  return html`<fieldset><legend>${words.price(workspace.value?.currency)}</legend><div class="row">${MESSAGE_TYPES.map((type) => html`<${Text} key=${type} name=${nameOf(type)} inputmode="decimal" placeholder=${words.free}
      value=${prices[type]} problem=${problemAt(`prices.${type}`)} onInput=${(next) => setPrice(type, next.trim())} />`)}</div>
    ${prefixes.length > 0 && html`<p class="help">${words.prefixes(prefixes)}</p>`}</fieldset>`;
}

const MESSAGE_TYPES = ["MESSAGE", "NEWSLETTER", "CONVERSATION"];
