// One channel: settings, circuit, a test send.
import { html, useEffect, useState } from "../vendor/preact.js";
import { get, post, put, remove } from "../lib/api.js";
import { useAction, useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { count } from "../lib/numbers.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { workspace } from "../lib/session.js";
import { span } from "../lib/times.js";
import { reasonWord, title } from "../lib/words.js";
import { confirm } from "../components/dialog.js";
import { SchemaForm } from "../components/field.js";
import { Bar, Button, Card, Check, Choice, Facts, Loaded, Page, Problem, Raw, say, Status, Text, Time } from "../components/parts.js";
import { askTestSend } from "../components/test-send.js";
import { channelState } from "./channel-list.js";

const LIVE_MS = 10_000;
const BACK = { href: to("channels"), name: "Channels" };

export function Screen({ path: [uid] }) {
  const channel = useLoad((signal) => get(`/v1/channels/${uid}`, {}, signal), [uid], { every: LIVE_MS });
  useEffect(() => {
    readNames("channelTypes", "templates");
  }, []);
  const of = channel.data;
  if (!of) return html`<${Page} name="Channel" back=${BACK}><${Loaded} from=${channel} what="This channel" /><//>`;
  async function erase() {
    const text = "Flows that still use it skip with “the channel was deleted”.";
    if (await confirm({ label: `Delete “${of.name}”?`, text, action: "Delete the channel", danger: true, act: () => remove(`/v1/channels/${uid}`) })) go("channels");
  }
  return html`<${Page} name=${of.name} back=${BACK} lead=${html`<${Status} of=${channelState(of)} /><span>${nameOf(of.type)}</span>`}
      actions=${html`<${Button} quiet onClick=${erase}>Delete …<//><${Button} primary onClick=${() => askTestSend({ channel: of })}>Test send …<//>`}>
    <${Circuit} channel=${of} reload=${channel.reload} />
    <div class="columns"><${Settings} key=${of.uid} channel=${of} reload=${channel.reload} />
      <div class="stack"><${Health} channel=${of} /><${Card} name="Record"><${Facts} of=${[["Id", html`<code>${of.uid}</code>`], ["Created", html`<${Time} at=${of.createdAt} plain />`], ["Changed", html`<${Time} at=${of.updatedAt} plain />`]]} />
        <p class="below"><a href=${to("flows", { channelUid: of.uid })}>Flows by this channel</a></p><${Raw} of=${of} /><//></div></div>
  <//>`;
}

/** Open since when and why, and the way to close it by hand. */
function Circuit({ channel, reload }) {
  const { circuit } = channel;
  const [close, busy, error] = useAction(async () => {
    await post(`/v1/channels/${channel.uid}/circuit/close`);
    say("The circuit is closed");
    reload();
  });
  if (circuit.state === "closed") return null;
  const isDue = !circuit.retryAfter || new Date(circuit.retryAfter) <= Date.now();
  return html`<div class="notice warn" role="status"><div class="grow"><p><b>The circuit is ${title(circuit.state).toLowerCase()}</b>${circuit.since && html` since <${Time} at=${circuit.since} plain />`}: ${reasonWord(circuit.cause)}.
      Flows that send by it are paused. ${isDue ? "The first message of a resumed flow is the trial." : html`A flow can be resumed from <${Time} at=${circuit.retryAfter} plain /> on; its first message is the trial.`}</p>
      <${Problem} of=${error} what="Closing it" /></div>
    <${Button} busy=${busy} onClick=${close}>Close it now<//></div>`;
}

/** How it fares: circuit, rate, quota, what went wrong last. */
function Health({ channel: { circuit, rate } }) {
  const waits = rate.backlogSeconds >= 1 ? `the next message goes out in ${span(rate.backlogSeconds * 1000)}` : "";
  return html`<${Card} name="How it fares"><${Facts} of=${[
      ["Circuit", html`<${Status} of=${circuit.state} />`],
      ["Rate", rate.perSecond ? `${rate.perSecond} a second` : "as fast as the provider takes them"],
      ["Today (UTC)", rate.perDay ? html`${count(rate.sentToday)} of ${count(rate.perDay)}<${Bar} of=${rate.perDay} parts=${[[rate.sentToday, "completed"]]} label="${count(rate.sentToday)} of ${count(rate.perDay)} sent today" />` : "no limit"],
      ["In line", waits || "nobody"],
      ["Held back until", rate.heldUntil && html`<${Time} at=${rate.heldUntil} plain />`],
    ]} />
    ${circuit.lastFaults.length > 0 && html`<div class="below"><h3>Last faults of the channel itself</h3><ul class="plain-rows">${circuit.lastFaults.toReversed().map((each) => html`<li>
      <span>${reasonWord(each.code)}</span><span class="muted"><${Time} at=${each.at} /></span></li>`)}</ul></div>`}<//>`;
}

const APPROVALS = ["approved", "pending", "blocked"];
const WRITTEN = ["name", "type", "settings", "approval", "active", "lostAnswer", "reportsReceipts", "trackOpens", "trackClicks", "ratePerSecond", "dailyCap", "prices", "pricesByPrefix"]; // prettier-ignore
const CHECKS = [
  ["active", "Active", "Switched off, its messages are skipped."],
  ["reportsReceipts", "Reports receipts", "Whether the provider tells what became of a message; flows then wait for it."],
  ["trackOpens", "Track opens", "HTML mails get an invisible picture. Not needed where the provider tells of opens."],
  ["trackClicks", "Track clicks", "Links in HTML mails lead through this server. Not needed where the provider tells of clicks."],
]; // prettier-ignore
const LOST = [["hold", "Leave the message unknown"], ["resend", "Risk sending it twice"]];

/** What is typed stays when somebody else saves the channel meanwhile; the other fields follow the channel. */
function Settings({ channel, reload }) {
  const [typed, setTyped] = useState({});
  const [saved, setSaved] = useState(channel);
  const newest = saved.updatedAt > channel.updatedAt ? saved : channel;
  const fields = { ...Object.fromEntries(WRITTEN.map((name) => [name, newest[name]])), ...typed };
  const set = (name, value) => setTyped((now) => ({ ...now, [name]: value }));
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    setSaved(await put(`/v1/channels/${channel.uid}`, fields));
    // What was typed while it was on its way is not saved yet.
    setTyped((now) => Object.fromEntries(Object.entries(now).filter(([name, value]) => value !== typed[name])));
    say("Saved");
    reload();
  });
  const problemAt = (field) => error?.at?.(field) ?? "";
  const number = (name, text) => set(name, text === "" ? null : Number(text));
  const schema = names.value.channelTypes.get(channel.type)?.settings;
  return html`<${Card} name="Settings"><form class="form" onSubmit=${save}>
    <${Text} name="Name" value=${fields.name} problem=${problemAt("name")} onInput=${(next) => set("name", next)} />
    ${schema && html`<${SchemaForm} schema=${schema} value=${fields.settings} path="settings" problemAt=${problemAt} onChange=${(next) => set("settings", next)} />`}
    <${Choice} name="Approval" value=${fields.approval} options=${APPROVALS.map((each) => [each, title(each)])} onChange=${(next) => set("approval", next)} />
    ${CHECKS.map(([name, words, help]) => html`<${Check} key=${name} name=${words} help=${help} value=${fields[name]} onChange=${(next) => set(name, next)} />`)}
    <${Choice} name="When an answer is lost" value=${fields.lostAnswer} options=${LOST} onChange=${(next) => set("lostAnswer", next)} />
    <div class="row"><${Text} name="Messages a second" optional type="number" min="0.01" step="any" value=${fields.ratePerSecond} problem=${problemAt("ratePerSecond")} placeholder="as the account" onInput=${(text) => number("ratePerSecond", text)} />
      <${Text} name="Messages a day" optional type="number" min="1" value=${fields.dailyCap} problem=${problemAt("dailyCap")} placeholder="as the account" onInput=${(text) => number("dailyCap", text)} /></div>
    <${Prices} fields=${fields} set=${set} problemAt=${problemAt} />
    ${error && !error.details.length && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} primary type="submit" busy=${busy}>Save<//></div></form><//>`;
}

/** What one message costs, by its type; the prices of countries are shown where there are some. */
function Prices({ fields: { prices, pricesByPrefix }, set, problemAt }) {
  const price = (type, text) => {
    const { [type]: before, ...others } = prices;
    set("prices", text === "" ? others : { ...others, [type]: text });
  };
  const prefixes = Object.entries(pricesByPrefix);
  return html`<fieldset><legend>Price of a message (${workspace.value?.currency})</legend><div class="row">${MESSAGE_TYPES.map((type) => html`<${Text} key=${type} name=${title(type)} inputmode="decimal" placeholder="free"
      value=${prices[type]} problem=${problemAt(`prices.${type}`)} onInput=${(text) => price(type, text.trim())} />`)}</div>
    ${prefixes.length > 0 && html`<p class="help">Other prices for ${prefixes.map(([prefix]) => prefix).join(", ")}; they are set by the API.</p>`}</fieldset>`;
}

const MESSAGE_TYPES = ["MESSAGE", "NEWSLETTER", "CONVERSATION"];
