// Import of contacts: choose a file, say what its columns are, try it, do it, take the rejected rows along.
import { html, useState } from "../vendor/preact.js";
import { get, getText, post } from "../lib/api.js";
import { guessSeparator, readCsv } from "../lib/csv.js";
import { download } from "../lib/download.js";
import { useAction, useLoad } from "../lib/load.js";
import { count } from "../lib/numbers.js";
import { place, setQuery, to } from "../lib/router.js";
import { useSheet } from "../lib/sheets.js";
import { ROW, plural } from "../lib/texts/en/plural.js";
import { title } from "../lib/words.js";
import { Bar, Button, Card, Choice, Facts, Loaded, Page, Problem, Status, Table } from "../components/parts.js";

await useSheet(import.meta.resolve("../components/detail.css"));

/** What the API takes in one body; longer files go by its upload route, which is another origin and closed to this page. */
const MOST_BYTES = 5 * 1_048_576;
const FIELDS = ["externalId", "email", "phone", "firstName", "lastName", "locale", "timezone", "status", "tags", "uid"];
const SAMPLE = "externalId,email,firstName,lastName,tags,attributes.city\nc-1,ada@example.com,Ada,Lovelace,vip;london,London\n";

export function Screen() {
  const [file, setFile] = useState(null);
  const running = place.value.query.get("job");
  const back = { href: to("contacts"), name: "Contacts" };
  return html`<${Page} name="Import contacts" back=${back} lead="From a CSV file: one contact a row, the first row names the columns.">
    <${ChooseFile} file=${file} setFile=${(next) => (setFile(next), setQuery({ job: "" }))} />
    ${file?.problem && html`<p class="notice bad" role="alert">${file.problem}</p>`}
    ${file && !file.problem && html`<${Columns} key=${file.name} file=${file} />`}
    ${running && html`<${Job} key=${running} uid=${running} />`}
  <//>`;
}

function ChooseFile({ file, setFile }) {
  async function read(chosen) {
    if (!chosen) return;
    const problem = chosen.size > MOST_BYTES ? `${chosen.name} has ${(chosen.size / 1_048_576).toFixed(1)} MiB; this page takes 5 MiB. Split it, or import it by the API (POST /v1/uploads).` : "";
    setFile({ name: chosen.name, problem, text: problem ? "" : await chosen.text() });
  }
  function onDrop(event) {
    event.preventDefault();
    read(event.dataTransfer.files[0]);
  }
  return html`<div class="empty drop" onDragOver=${(event) => event.preventDefault()} onDrop=${onDrop}>
    <h2>${file ? file.name : "Choose a CSV file"}</h2>
    <p>${file ? "Drop another one here, or choose it." : "Drop it here, or choose it. Separated by comma, semicolon or tab; UTF-8; up to 5 MiB."}</p>
    <div class="row"><label class="button primary file">Choose …<input type="file" accept=".csv,text/csv,text/plain" onChange=${(event) => read(event.target.files[0])} /></label>
      ${!file && html`<${Button} onClick=${() => download(SAMPLE, "contacts", "text/csv", "csv")}>Download an example<//>`}</div>
  </div>`;
}

/** A header that is a field already is not mapped again, so that it can also be "attributes.…". */
function guess(header) {
  const plain = header.toLowerCase().replace(/[\s_-]/g, "");
  const field = FIELDS.find((each) => each.toLowerCase() === plain) ?? ALIASES[plain];
  if (field) return field;
  if (/^attributes\.\w+$/.test(header)) return header;
  const name = header.trim().replace(/\W+/g, "_").replace(/^(\d)/, "_$1");
  return name ? `attributes.${name}` : "";
}

const ALIASES = { mail: "email", emailaddress: "email", telephone: "phone", mobile: "phone", name: "firstName", surname: "lastName", givenname: "firstName", familyname: "lastName", id: "externalId", language: "locale" };

function Columns({ file }) {
  const [header, ...rows] = readCsv(file.text.replace(/^\uFEFF/, ""), guessSeparator(file.text));
  const [mapping, setMapping] = useState(() => Object.fromEntries((header ?? []).map((each) => [each, guess(each)])));
  const [onExisting, setOnExisting] = useState("upsert");
  const [start, busy, error] = useAction(async (dryRun) => {
    setQuery({ job: "" });
    const given = Object.fromEntries(Object.entries(mapping).map(([name, field]) => [name, field || null]));
    const task = await post("/v1/contacts/import", { csv: file.text, mapping: given, dryRun, onExisting });
    setQuery({ job: task.uid });
  });
  if (!header) return html`<p class="notice bad" role="alert">This file is empty.</p>`;
  return html`<${Card} name="Columns">
    <${Table} numbers label="Columns of the file" rows=${header.map((name, index) => ({ name, index }))} keyOf=${(row) => row.index} columns=${[
      { name: "Column", cell: (row) => html`<b>${row.name || "(without a name)"}</b>` },
      { name: "Becomes", cell: (row) => html`<${Target} name=${row.name} value=${mapping[row.name]} onChange=${(next) => setMapping({ ...mapping, [row.name]: next })} />` },
      { name: "For example", class: "less", cell: (row) => html`<span class="muted">${rows.slice(0, 3).map((each) => each[row.index]).filter(Boolean).join(" · ")}</span>` },
    ]} />
    <div class="form"><div class="row"><${Choice} name="Contacts that are there already" value=${onExisting} onChange=${setOnExisting}
        options=${[["upsert", "are changed by the row"], ["skip", "stay as they are"]]} /></div>
      <${Problem} of=${error} what="The import" />
      <div class="row"><${Button} busy=${busy} onClick=${() => start(true)}>Try it (nothing is saved)<//><${Button} primary busy=${busy} onClick=${() => start(false)}>Import<//></div></div>
  <//>`;
}

function Target({ name, value, onChange }) {
  const own = value?.startsWith("attributes.") ? [[value, `Attribute “${value.slice(11)}”`]] : [];
  const options = [["", "Leave it out"], ...FIELDS.map((each) => [each, title(each)]), ...own];
  return html`<select aria-label="${name} becomes" value=${value} onChange=${(event) => onChange(event.target.value)}>
    ${options.map(([each, words]) => html`<option value=${each}>${words}</option>`)}</select>`;
}

function Job({ uid }) {
  const [every, setEvery] = useState(700);
  const job = useLoad(
    async (signal) => {
      const found = await get(`/v1/imports/${uid}`, {}, signal);
      if (["completed", "failed"].includes(found.status)) setEvery(0);
      return found;
    },
    [uid],
    { every },
  );
  return html`<${Card} name=${job.data?.dryRun ? "Trial" : "Import"}><${Loaded} from=${job} what="This import">${(of) => html`<div class="form">
    <div class="between"><${Status} of=${of.status} /><span class="muted">${of.dryRun ? "Nothing was saved" : ""}</span></div>
    <${Bar} of=${of.totalBytes} parts=${[[of.status === "completed" ? of.totalBytes : of.offset, "completed"]]} label="${Math.round((of.offset / (of.totalBytes || 1)) * 100)} % read" />
    <${Facts} of=${[["Rows", count(of.rows)], [of.dryRun ? "Would be new" : "New", count(of.created)], [of.dryRun ? "Would change" : "Changed", count(of.updated)], ["Left as they are", count(of.skipped)], ["Rejected", count(of.rejected)]]} />
    ${of.fault && html`<p class="notice bad" role="alert">${of.fault}</p>`}
    ${of.rejected > 0 && html`<${Rejected} of=${of} />`}
    ${of.status === "completed" && !of.dryRun && html`<p><a href=${to("contacts")}>To the contacts</a></p>`}
  </div>`}<//><//>`;
}

function Rejected({ of }) {
  const text = useLoad((signal) => getText(`/v1/imports/${of.uid}/rejected`, { signal }), [of.uid, of.rejected]);
  const save = () => download(text.data, `rejected-${of.uid}`, "text/csv", "csv");
  return html`<div class="between notice warn"><span>${plural(of.rejected, ROW)} could not be taken. The file says why, row by row; mend it and import it again.</span>
    <${Button} disabled=${!text.data} onClick=${save}>Download the rejected rows<//></div>
    <${Loaded} from=${text} what="The file of rejected rows">${(csv) => html`<${FirstRejected} of=${readCsv(csv, guessSeparator(csv))} many=${of.rejected} />`}<//>`;
}

/** The first of them: the row's number, why it was not taken, and what it says. */
function FirstRejected({ of: [, ...rows], many }) {
  return html`<ul class="plain-rows">${rows.map(([line, reason, ...values]) => html`<li key=${line}><span><b>Row ${line}</b> ${reason}</span><span class="muted">${values.filter(Boolean).join(" · ")}</span></li>`)}
    ${many > rows.length && html`<li class="muted">and ${count(many - rows.length)} more</li>`}</ul>`;
}
