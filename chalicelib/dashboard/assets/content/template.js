// @ts-check
// One template: the editor beside its preview.
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { get, getPage, patch, post, remove, toApiError } from "../lib/api.js";
import { useAction, useLoad } from "../lib/load.js";
import { names, readNames } from "../lib/names.js";
import { go, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { useSheet } from "../lib/sheets.js";
import { common } from "../lib/texts/en/common.js";
import { content } from "../lib/texts/en/content.js";
import { ask, confirm } from "../components/dialog.js";
import { Differences } from "../components/differences.js";
import { PairsField, SchemaForm } from "../components/field.js";
import { Button, Card, Choice, Loaded, Page, Problem, say, Status, Table, Text, Time } from "../components/parts.js";
import { askTestSend } from "../components/test-send.js";
import { Preview } from "./preview.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const text = content.template;
const BACK = { href: to("templates"), name: text.back };
/** Typing that pauses this long is saved. */
const SAVE_AFTER_MS = 600;

/** @typedef {Api["Template"]} TemplateData */
/** @typedef {import("../lib/api.js").ApiError} ApiError */

async function readTemplate(uid, signal) {
  const [template] = await Promise.all([get(`/v1/templates/${uid}`, {}, signal), readNames("channels", "channelTypes")]);
  return template;
}

/** @param {{path: string[]}} props */
export function Screen({ path: [uid] }) {
  const template = useLoad((signal) => readTemplate(uid, signal), [uid]);
  if (!template.data) return html`<${Page} name=${text.title} back=${BACK}><${Loaded} from=${template} what=${text.what} /><//>`;
  return html`<${Template} first=${template.data} />`;
}

const PARTS = ["name", "messageType", "content", "parameterDefaults"];
const partsOf = (template) => Object.fromEntries(PARTS.map((part) => [part, template[part]]));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Save the template when typing pauses. The preview shows the saved template, because that is what would be sent.
 * @param {TemplateData} first
 */
function useEditing(first) {
  const [saved, setSaved] = useState(first);
  const [parts, setParts] = useState(partsOf(first));
  const [error, setError] = useState(/** @type {ApiError | null} */ (null));
  const isSaved = same(parts, partsOf(saved));
  async function save() {
    const changes = Object.fromEntries(PARTS.filter((part) => !same(parts[part], saved[part])).map((part) => [part, parts[part]]));
    try {
      setSaved(await patch(`/v1/templates/${first.uid}`, changes));
      setError(null);
    } catch (problem) {
      setError(toApiError(problem));
    }
  }
  useEffect(() => {
    if (isSaved) return undefined;
    const timer = setTimeout(save, SAVE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [parts, isSaved]);
  // When the user leaves the page before the pause, the last changes are saved too.
  const unsaved = useRef(/** @type {(() => unknown) | null} */ (null));
  unsaved.current = isSaved ? null : save;
  useEffect(() => () => void unsaved.current?.(), []);
  return { saved, setSaved, parts, setParts, error, isSaved };
}

/** @param {{first: TemplateData}} props */
function Template({ first }) {
  const { saved, setSaved, parts, setParts, error, isSaved } = useEditing(first);
  const path = `/v1/templates/${first.uid}`;
  const schema = names.value.channelTypes.get(first.channelType)?.content;
  const set = (name, value) => setParts({ ...parts, [name]: value });
  const [publish, publishing, refused] = useAction(async () => {
    const done = await post(`${path}/publish`);
    setSaved(await get(path));
    say(text.published(done.version));
  });
  const problemAt = (field) => error?.at?.(field) || refused?.at?.(field) || "";
  const reload = async () => setSaved(await get(path));
  return html`<${Page} name=${parts.name} back=${BACK} wide
      lead=${html`<${Status} of=${saved.status} /><span>${nameOf(saved.channelType)}</span><span>${saved.latestVersion ? `${common.version(saved.latestVersion)}${saved.draftChanged ? ` · ${common.unpublishedChanges}` : ""}` : common.neverPublished}</span>
        <span role="status">${isSaved ? common.saved : error ? text.notSaved : text.saving}</span>`}
      actions=${html`<${Button} onClick=${() => askTestSend({ template: saved })}>${text.test}<//>
        <${Button} onClick=${() => ask(MoreDialog, { label: saved.name, template: saved, reload })}>${text.more}<//>
        <${Button} primary busy=${publishing} disabled=${!isSaved || (saved.status === "PUBLISHED" && !saved.draftChanged)} onClick=${publish}>${text.publish(saved.draftChanged ? saved.latestVersion + 1 : 0)}<//>`}>
    ${saved.rejectReason && html`<p class="notice warn">${text.rejected(saved.rejectReason)}</p>`}
    <${Problem} of=${error ?? refused} />
    <div class="columns">
      <${Card} name=${text.content}><div class="form">
        <${Text} name=${text.name} value=${parts.name} problem=${problemAt("name")} onInput=${(next) => set("name", next)} />
        <${Choice} name=${content.create.messageType} value=${parts.messageType} options=${content.create.messageTypes} onChange=${(next) => set("messageType", next)} />
        ${schema && html`<${SchemaForm} schema=${schema} value=${parts.content} path="content" problemAt=${problemAt} onChange=${(next) => set("content", next)} />`}
        <${PairsField} label=${text.defaults} common=${{ problem: problemAt("parameterDefaults") }} value=${parts.parameterDefaults} set=${(next) => set("parameterDefaults", next)} />
        <p class="help">${text.help}</p>
      </div><//>
      <div class="stack"><${Preview} template=${saved} /><${Versions} template=${saved} /></div>
    </div>
  <//>`;
}

/** @param {{template: TemplateData}} props */
function Versions({ template }) {
  const words = content.versions;
  const versions = useLoad((signal) => getPage(`/v1/templates/${template.uid}/versions`, { limit: 20 }, signal), [template.uid, template.latestVersion]);
  const [shown, setShown] = useState(0);
  return html`<${Card} name=${words.title}><${Loaded} from=${versions} what=${words.what}>${({ data }) => {
    const chosen = data.find((each) => each.version === shown);
    if (!data.length) return html`<p class="muted">${words.none}</p>`;
    return html`<${Table} label=${words.label} rows=${data} keyOf=${(row) => row.version} columns=${[
        { name: words.version, cell: (row) => html`<b>${common.version(row.version)}</b>` },
        { name: words.published, cell: (row) => html`<${Time} at=${row.publishedAt} />` },
        { name: "", class: "num", cell: (row) => html`<${Button} aria-label=${words.compareWithDraft(row.version)} onClick=${() => setShown(row.version === shown ? 0 : row.version)}>${words.compare}<//>` },
      ]} />
      ${chosen && html`<div><p class="muted">${words.changes(chosen.version)}</p><${Differences} before=${chosen.content} after=${template.content} /></div>`}`;
  }}<//><//>`;
}

function MoreDialog({ template, reload, close }) {
  const words = content.more;
  const [reason, setReason] = useState("");
  const path = `/v1/templates/${template.uid}`;
  const [reject, busy, error] = useAction(async () => {
    await post(`${path}/reject`, { reason });
    close();
    reload();
  });
  async function erase() {
    close();
    const done = await confirm({ ...words.deletion, label: words.deletion.label(template.name), danger: true, act: () => remove(path) });
    if (done) go("templates");
  }
  return html`<h2>${template.name}</h2>
    <${Text} name=${words.reason} value=${reason} onInput=${setReason} help=${words.help} />
    <${Problem} of=${error} />
    <div class="dialog-foot"><${Button} danger onClick=${erase}>${words.delete}<//><span class="grow"></span>
      <${Button} onClick=${() => close()}>${common.close}<//><${Button} danger disabled=${!reason.trim()} busy=${busy} onClick=${reject}>${words.reject}<//></div>`;
}
