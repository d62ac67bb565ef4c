// One template: the editor beside what it becomes.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { get, getPage, patch, post, remove } from "../lib/api.js";
import { useAction, useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { useSheet } from "../lib/sheets.js";
import { ask, confirm } from "../components/dialog.js";
import { Differences } from "../components/differences.js";
import { PairsField, SchemaForm } from "../components/field.js";
import { Button, Card, Choice, Loaded, Page, Problem, say, Status, Table, Text, Time } from "../components/parts.js";
import { askTestSend } from "../components/test-send.js";
import { Preview } from "./preview.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const BACK = { href: to("templates"), name: "Templates" };
const REST_MS = 600;

export function Screen({ path: [uid] }) {
  const template = useLoad(async (signal) => (await Promise.all([get(`/v1/templates/${uid}`, {}, signal), readNames("channels", "channelTypes")]))[0], [uid]);
  if (!template.data) return html`<${Page} name="Template" back=${BACK}><${Loaded} from=${template} what="This template" /><//>`;
  return html`<${Template} first=${template.data} />`;
}

const PARTS = ["name", "messageType", "content", "parameterDefaults"];
const partsOf = (template) => Object.fromEntries(PARTS.map((part) => [part, template[part]]));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** Saved when typing rests; the preview follows what is saved, so it shows what would be sent. */
function useEditing(first) {
  const [saved, setSaved] = useState(first);
  const [parts, setParts] = useState(partsOf(first));
  const [error, setError] = useState(null);
  const isSaved = same(parts, partsOf(saved));
  async function save() {
    const changes = Object.fromEntries(PARTS.filter((part) => !same(parts[part], saved[part])).map((part) => [part, parts[part]]));
    try {
      setSaved(await patch(`/v1/templates/${first.uid}`, changes));
      setError(null);
    } catch (problem) {
      setError(problem);
    }
  }
  useEffect(() => {
    if (isSaved) return undefined;
    const timer = setTimeout(save, REST_MS);
    return () => clearTimeout(timer);
  }, [parts, isSaved]);
  // Who leaves before typing has rested loses nothing.
  const left = useRef(null);
  left.current = isSaved ? null : save;
  useEffect(() => () => void left.current?.(), []);
  return { saved, setSaved, parts, setParts, error, isSaved };
}

function Template({ first }) {
  const { saved, setSaved, parts, setParts, error, isSaved } = useEditing(first);
  const path = `/v1/templates/${first.uid}`;
  const schema = names.value.channelTypes.get(first.channelType)?.content;
  const set = (name, value) => setParts({ ...parts, [name]: value });
  const [publish, publishing, refused] = useAction(async () => {
    const done = await post(`${path}/publish`);
    setSaved(await get(path));
    say(`Version ${done.version} is published`);
  });
  const problemAt = (field) => error?.at?.(field) || refused?.at?.(field) || "";
  const reload = async () => setSaved(await get(path));
  return html`<${Page} name=${parts.name} back=${BACK} wide
      lead=${html`<${Status} of=${saved.status} /><span>${nameOf(saved.channelType)}</span><span>${saved.latestVersion ? `v${saved.latestVersion}${saved.draftChanged ? " · draft differs" : ""}` : "never published"}</span>
        <span role="status">${isSaved ? "Saved" : error ? "Not saved" : "Saving …"}</span>`}
      actions=${html`<${Button} onClick=${() => askTestSend({ template: saved })}>Test send …<//>
        <${Button} onClick=${() => ask(MoreDialog, { label: saved.name, template: saved, reload })}>More …<//>
        <${Button} primary busy=${publishing} disabled=${!isSaved || (saved.status === "PUBLISHED" && !saved.draftChanged)} onClick=${publish}>Publish${saved.draftChanged ? ` v${saved.latestVersion + 1}` : ""}<//>`}>
    ${saved.rejectReason && html`<p class="notice warn">Rejected: ${saved.rejectReason}</p>`}
    <${Problem} of=${error ?? refused} />
    <div class="columns">
      <${Card} name="Text"><div class="form">
        <${Text} name="Name" value=${parts.name} problem=${problemAt("name")} onInput=${(next) => set("name", next)} />
        <${Choice} name="For" value=${parts.messageType} options=${[["MESSAGE", "A message"], ["NEWSLETTER", "A newsletter"], ["CONVERSATION", "A conversation"]]} onChange=${(next) => set("messageType", next)} />
        ${schema && html`<${SchemaForm} schema=${schema} value=${parts.content} path="content" problemAt=${problemAt} onChange=${(next) => set("content", next)} />`}
        <${PairsField} label="Defaults of parameters" common=${{ problem: problemAt("parameterDefaults") }} value=${parts.parameterDefaults} set=${(next) => set("parameterDefaults", next)} />
        <p class="help">Places are written ${"{{ first_name }}"}. What has no default and no value for a contact makes the contact be skipped.</p>
      </div><//>
      <div class="stack"><${Preview} template=${saved} /><${Versions} template=${saved} /></div>
    </div>
  <//>`;
}

function Versions({ template }) {
  const versions = useLoad((signal) => getPage(`/v1/templates/${template.uid}/versions`, { limit: 20 }, signal), [template.uid, template.latestVersion]);
  const [shown, setShown] = useState(0);
  return html`<${Card} name="Versions"><${Loaded} from=${versions} what="The list of versions">${({ data }) => {
    const chosen = data.find((each) => each.version === shown);
    if (!data.length) return html`<p class="muted">Never published. Only what is published can be sent by a campaign.</p>`;
    return html`<${Table} label="Published versions" rows=${data} keyOf=${(row) => row.version} columns=${[
        { name: "Version", cell: (row) => html`<b>v${row.version}</b>` },
        { name: "Published", cell: (row) => html`<${Time} at=${row.publishedAt} />` },
        { name: "", class: "num", cell: (row) => html`<${Button} aria-label="Compare v${row.version} with the draft" onClick=${() => setShown(row.version === shown ? 0 : row.version)}>Compare<//>` },
      ]} />
      ${chosen && html`<div><p class="muted">From v${chosen.version} to the draft:</p><${Differences} before=${chosen.content} after=${template.content} /></div>`}`;
  }}<//><//>`;
}

function MoreDialog({ template, reload, close }) {
  const [reason, setReason] = useState("");
  const path = `/v1/templates/${template.uid}`;
  const [reject, busy, error] = useAction(async () => {
    await post(`${path}/reject`, { reason });
    close();
    reload();
  });
  async function erase() {
    close();
    const done = await confirm({ label: `Delete “${template.name}”?`, text: "With its versions. Campaigns that send it cannot be launched then.", action: "Delete the template", danger: true, act: () => remove(path) });
    if (done) go("templates");
  }
  return html`<h2>${template.name}</h2>
    <${Text} name="Reject it because" value=${reason} onInput=${setReason} help="No campaign can be launched with a rejected template, and flows that send it pause." />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} danger onClick=${erase}>Delete …<//><span class="grow"></span>
      <${Button} onClick=${() => close()}>Close<//><${Button} danger disabled=${!reason.trim()} busy=${busy} onClick=${reject}>Reject<//></div>`;
}
