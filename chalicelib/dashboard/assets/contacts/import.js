// @ts-check
// Import of contacts: choose a file, map its columns, do a dry run, import it, and download the rejected rows.
import { html, useState } from "../vendor/preact.js";
import { get, getText, post } from "../lib/api.js";
import { guessSeparator, readCsv } from "../lib/csv.js";
import { download } from "../lib/download.js";
import { useAction, useLoad } from "../lib/load.js";
import { count, percent } from "../lib/numbers.js";
import { place, setQuery, to } from "../lib/router.js";
import { nameOf } from "../lib/schema.js";
import { useSheet } from "../lib/sheets.js";
import { contacts } from "../lib/texts/en/contacts.js";
import { Bar, Button, Card, Choice, Facts, Loaded, Page, Problem, Status, Table } from "../components/parts.js";

await useSheet(import.meta.resolve("../components/detail.css"));

const text = contacts.import;
const MIB = 1_048_576;
/** The API's limit of one body. The upload route takes larger files, but it is another origin that this page may not call. */
const MAX_BYTES = 5 * MIB;
const POLL_MS = 700;
const FIELDS = ["externalId", "email", "phone", "firstName", "lastName", "locale", "timezone", "status", "tags", "uid"];
const SAMPLE = "externalId,email,firstName,lastName,tags,attributes.city\nc-1,ada@example.com,Ada,Lovelace,vip;london,London\n";

/** @typedef {{name: string, text: string, problem: string}} ChosenFile */

export function Screen() {
  const [file, setFile] = useState(/** @type {ChosenFile | null} */ (null));
  const job = place.value.query.get("job");
  const back = { href: to("contacts"), name: contacts.contact.back };
  return html`<${Page} name=${text.title} back=${back} lead=${text.lead}>
    <${ChooseFile} file=${file} setFile=${(next) => (setFile(next), setQuery({ job: "" }))} />
    ${file?.problem && html`<p class="notice bad" role="alert">${file.problem}</p>`}
    ${file && !file.problem && html`<${Columns} key=${file.name} file=${file} />`}
    ${job && html`<${Job} key=${job} uid=${job} />`}
  <//>`;
}

function ChooseFile({ file, setFile }) {
  async function read(/** @type {File | undefined} */ chosen) {
    if (!chosen) return;
    const problem = chosen.size > MAX_BYTES ? text.tooLarge(chosen.name, (chosen.size / MIB).toFixed(1)) : "";
    setFile({ name: chosen.name, problem, text: problem ? "" : await chosen.text() });
  }
  function onDrop(event) {
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  }
  return html`<div class="empty drop" onDragOver=${(event) => event.preventDefault()} onDrop=${onDrop}>
    <h2>${file ? file.name : text.choose}</h2>
    <p>${file ? text.helpAgain : text.help}</p>
    <div class="row"><label class="button primary file">${text.button}<input type="file" accept=".csv,text/csv,text/plain" onChange=${(event) => read(event.target.files[0])} /></label>
      ${!file && html`<${Button} onClick=${() => download(SAMPLE, "contacts", "text/csv", "csv")}>${text.example}<//>`}</div>
  </div>`;
}

/** Return the field for a column. A column that is already named like an attribute keeps its name. */
function guessField(header) {
  const plain = header.toLowerCase().replace(/[\s_-]/g, "");
  const field = FIELDS.find((each) => each.toLowerCase() === plain) ?? ALIASES[plain];
  if (field) return field;
  if (/^attributes\.\w+$/.test(header)) return header;
  const name = header.trim().replace(/\W+/g, "_").replace(/^(\d)/, "_$1");
  return name ? `attributes.${name}` : "";
}

/** @type {Record<string, string>} */
const ALIASES = { mail: "email", emailaddress: "email", telephone: "phone", mobile: "phone", name: "firstName", surname: "lastName", givenname: "firstName", familyname: "lastName", id: "externalId", language: "locale" };

/** @param {{file: ChosenFile}} props */
function Columns({ file }) {
  const [header, ...rows] = readCsv(file.text.replace(/^\uFEFF/, ""), guessSeparator(file.text));
  const [mapping, setMapping] = useState(() => Object.fromEntries((header ?? []).map((each) => [each, guessField(each)])));
  const [onExisting, setOnExisting] = useState("upsert");
  const [start, busy, error] = useAction(async (dryRun) => {
    setQuery({ job: "" });
    const fields = Object.fromEntries(Object.entries(mapping).map(([name, field]) => [name, field || null]));
    const task = await post("/v1/contacts/import", { csv: file.text, mapping: fields, dryRun, onExisting });
    setQuery({ job: task.uid });
  });
  if (!header) return html`<p class="notice bad" role="alert">${text.empty}</p>`;
  const example = (row) => rows.slice(0, 3).map((each) => each[row.index]).filter(Boolean).join(" · ");
  return html`<${Card} name=${text.columns}>
    <${Table} numbers label=${text.columnsLabel} rows=${header.map((name, index) => ({ name, index }))} keyOf=${(row) => row.index} columns=${[
      { name: text.column, cell: (row) => html`<b>${row.name || text.unnamed}</b>` },
      { name: text.importAs, cell: (row) => html`<${Target} name=${row.name} value=${mapping[row.name]} onChange=${(next) => setMapping({ ...mapping, [row.name]: next })} />` },
      { name: text.values, class: "less", cell: (row) => html`<span class="muted">${example(row)}</span>` },
    ]} />
    <div class="form"><div class="row"><${Choice} name=${text.onExisting} value=${onExisting} onChange=${setOnExisting} options=${text.onExistingOptions} /></div>
      <${Problem} of=${error} what=${text.what} />
      <div class="row"><${Button} busy=${busy} onClick=${() => start(true)}>${text.dryRun}<//><${Button} primary busy=${busy} onClick=${() => start(false)}>${text.start}<//></div></div>
  <//>`;
}

function Target({ name, value, onChange }) {
  const own = value?.startsWith("attributes.") ? [[value, text.attribute(value.slice("attributes.".length))]] : [];
  const options = [["", text.skipColumn], ...FIELDS.map((each) => [each, nameOf(each)]), ...own];
  return html`<select aria-label=${text.importColumnAs(name)} value=${value} onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([each, words]) => html`<option value=${each}>${words}</option>`)}</select>`;
}

function Job({ uid }) {
  const [every, setEvery] = useState(POLL_MS);
  const job = useLoad(
    async (signal) => {
      const found = await get(`/v1/imports/${uid}`, {}, signal);
      if (["completed", "failed"].includes(found.status)) setEvery(0);
      return found;
    },
    [uid],
    { every },
  );
  return html`<${Card} name=${job.data?.dryRun ? text.dryRun : text.job}><${Loaded} from=${job} what=${text.whatJob}>${(of) => html`<div class="form">
    <div class="between"><${Status} of=${of.status} /><span class="muted">${of.dryRun ? text.notSaved : ""}</span></div>
    <${Bar} of=${of.totalBytes} parts=${[[of.status === "completed" ? of.totalBytes : of.offset, "completed"]]} label=${text.read(percent(of.offset / (of.totalBytes || 1)))} />
    <${Facts} of=${[[text.rows, count(of.rows)], [text.created(of.dryRun), count(of.created)], [text.updated(of.dryRun), count(of.updated)], [text.skipped, count(of.skipped)], [text.rejected, count(of.rejected)]]} />
    ${of.fault && html`<p class="notice bad" role="alert">${of.fault}</p>`}
    ${of.rejected > 0 && html`<${Rejected} of=${of} />`}
    ${of.status === "completed" && !of.dryRun && html`<p><a href=${to("contacts")}>${text.done}</a></p>`}
  </div>`}<//><//>`;
}

function Rejected({ of }) {
  const file = useLoad((signal) => getText(`/v1/imports/${of.uid}/rejected`, { signal }), [of.uid, of.rejected]);
  const save = () => download(file.data ?? "", `rejected-${of.uid}`, "text/csv", "csv");
  return html`<div class="between notice warn"><span>${text.rejectedRows(of.rejected)}</span>
    <${Button} disabled=${!file.data} onClick=${save}>${text.downloadRejected}<//></div>
    <${Loaded} from=${file} what=${text.whatRejected}>${(csv) => html`<${FirstRejected} of=${readCsv(csv, guessSeparator(csv))} total=${of.rejected} />`}<//>`;
}

/** The first rejected rows: number, reason and values. */
function FirstRejected({ of: [, ...rows], total }) {
  return html`<ul class="plain-rows">${rows.map(([line, reason, ...values]) => html`<li key=${line}><span><b>${text.row(line)}</b> ${reason}</span><span class="muted">${values.filter(Boolean).join(" · ")}</span></li>`)}
    ${total > rows.length && html`<li class="muted">${text.more(total - rows.length)}</li>`}</ul>`;
}
