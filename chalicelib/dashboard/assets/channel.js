// One channel: settings, circuit, a test send.
import { html, useState } from "./vendor.js";
import { get, post, put, remove } from "./api.js";
import { channelState } from "./channels.js";
import { ask, confirm } from "./dialog.js";
import { Field, SchemaForm } from "./field.js";
import { useAction, useLoad } from "./load.js";
import { names, readNames } from "./names.js";
import { Button, Card, Check, Choice, Facts, Loaded, Page, Problem, Raw, say, Status, Text, Time } from "./parts.js";
import { go, to } from "./router.js";
import { nameOf } from "./schema.js";
import { TestSend } from "./testsend.js";
import { reasonWord, title } from "./words.js";

const BACK = { href: to("channels"), name: "Channels" };
/** What PUT takes and this page draws itself; what else a channel has is kept as it is. */
const READ_ONLY = ["uid", "createdAt", "updatedAt", "circuit", "health", "quota"];

export function Screen({ path: [uid] }) {
  const channel = useLoad(async (signal) => (await Promise.all([get(`/v1/channels/${uid}`, {}, signal), readNames("channelTypes", "templates")]))[0], [uid]);
  const of = channel.data;
  if (!of) return html`<${Page} name="Channel" back=${BACK}><${Loaded} from=${channel} what="This channel" /><//>`;
  async function erase() {
    const text = "Flows that still use it skip with “the channel was deleted”.";
    if (await confirm({ label: `Delete “${of.name}”?`, text, action: "Delete the channel", danger: true, act: () => remove(`/v1/channels/${uid}`) })) go("channels");
  }
  return html`<${Page} name=${of.name} back=${BACK} lead=${html`<${Status} of=${channelState(of)} /><span>${nameOf(of.type)}</span>`}
      actions=${html`<${Button} quiet onClick=${erase}>Delete …<//><${Button} primary onClick=${() => ask(TestSend, { label: "Send a test", channel: of })}>Test send …<//>`}>
    <${Circuit} channel=${of} reload=${channel.reload} />
    <div class="columns"><${Settings} key=${of.updatedAt} channel=${of} reload=${channel.reload} />
      <${Card} name="Record"><${Facts} of=${[["Id", html`<code>${of.uid}</code>`], ["Created", html`<${Time} at=${of.createdAt} plain />`], ["Changed", html`<${Time} at=${of.updatedAt} plain />`]]} />
        <p><a href=${to("flows", { channelUid: of.uid })}>Flows by this channel</a></p><${Raw} of=${of} /><//></div>
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
  if (!circuit || circuit.state === "closed") return null;
  return html`<div class="notice warn" role="status"><div class="grow"><p><b>The circuit is ${title(circuit.state).toLowerCase()}</b>${circuit.since && html` since <${Time} at=${circuit.since} plain />`}${circuit.reason ? `: ${reasonWord(circuit.reason)}` : ""}.
      ${circuit.nextProbeAt && html`The next probe is <${Time} at=${circuit.nextProbeAt} />.`}</p><${Problem} of=${error} what="Closing it" /></div>
    <${Button} busy=${busy} onClick=${close}>Close it now<//></div>`;
}

const APPROVALS = ["approved", "pending", "blocked"];

function Settings({ channel, reload }) {
  const [fields, setFields] = useState(Object.fromEntries(Object.entries(channel).filter(([name]) => !READ_ONLY.includes(name))));
  const set = (name, value) => setFields({ ...fields, [name]: value });
  const [save, busy, error] = useAction(async (event) => {
    event.preventDefault();
    await put(`/v1/channels/${channel.uid}`, fields);
    say("Saved");
    reload();
  });
  const problemAt = (field) => error?.at?.(field) ?? "";
  const schema = names.value.channelTypes.get(channel.type)?.settings;
  return html`<${Card} name="Settings"><form class="form" onSubmit=${save}>
    <${Text} name="Name" value=${fields.name} problem=${problemAt("name")} onInput=${(next) => set("name", next)} />
    ${schema && html`<${SchemaForm} schema=${schema} value=${fields.settings} path="settings" problemAt=${problemAt} onChange=${(next) => set("settings", next)} />`}
    <${Choice} name="Approval" value=${fields.approval} options=${APPROVALS.map((each) => [each, title(each)])} onChange=${(next) => set("approval", next)} />
    <${Check} name="Active" value=${fields.active} help="Switched off, its messages are skipped." onChange=${(next) => set("active", next)} />
    <${Check} name="Reports receipts" value=${fields.reportsReceipts} help="Whether the provider tells what became of a message; flows then wait for it." onChange=${(next) => set("reportsReceipts", next)} />
    <${Choice} name="When an answer is lost" value=${fields.lostAnswer} options=${[["hold", "Leave the message unknown"], ["resend", "Risk sending it twice"]]} onChange=${(next) => set("lostAnswer", next)} />
    ${Object.keys(fields).filter((name) => LATER[name]).map((name) => html`<${Field} key=${name} name=${name} schema=${LATER[name]} root=${LATER[name]} value=${fields[name]} path=${name} problemAt=${problemAt} onChange=${(next) => set(name, next)} />`)}
    ${error && !error.details.length && html`<${Problem} of=${error} />`}
    <div class="row"><${Button} primary type="submit" busy=${busy}>Save<//></div></form><//>`;
}

/** Fields that younger servers give a channel. */
const LATER = { rateLimit: { type: "number", minimum: 0 }, prices: { type: "object", patternProperties: {} } };
