// One control for one part of a JSON Schema; forms of steps, channels and contents are made of nothing else.
import { html, useState } from "../vendor/preact.js";
import { kindOf, nameOf, unwrap, variantsOf } from "../lib/schema.js";
import { durationMs } from "../lib/times.js";
import { Button, Check, Choice, Labelled, Text } from "./parts.js";

/**
 * `problemAt(path)` gives what the API says of the value at `path`, which is written as the API writes it.
 * `special[name]` draws a field by its name instead of by its schema.
 */
export function Field(given) {
  const { name, schema, root, value, onChange, special = {}, path, problemAt, required } = given;
  const Special = special[name];
  if (Special) return html`<${Special} ...${given} />`;
  const kind = kindOf(schema, root);
  const { schema: one, nullable } = unwrap(schema, root);
  const label = nameOf(name);
  const common = { name: label, problem: problemAt(path), optional: !required && kind !== "check" };
  const Drawn = KINDS[kind];
  return Drawn ? html`<${Drawn} ...${given} one=${one} nullable=${nullable} common=${common} label=${label}
    value=${value === undefined ? one.default : value} set=${onChange} />` : null;
}

/** What other fields depend on stands before them. */
const FIRST = ["name", "channelUid"];
const rank = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

/** All properties of an object but those of `without`; those of `must` are wanted whatever the schema says. */
export function Fields({ schema, root = schema, value, onChange, without = [], must = [], path, ...rest }) {
  const all = Object.keys(schema.properties ?? {}).filter((name) => !without.includes(name));
  const names = all.sort((one, other) => rank(one) - rank(other));
  function set(name, next) {
    const changed = { ...value, [name]: next };
    if (next === undefined || next === null) delete changed[name];
    onChange(changed, name);
  }
  return names.map((name) => html`<${Field} key=${name} ...${rest} name=${name} schema=${schema.properties[name]} root=${root}
    value=${value?.[name]} onChange=${(next) => set(name, next)} path=${path ? `${path}.${name}` : name}
    required=${must.includes(name) || (schema.required ?? []).includes(name)} />`);
}

/** A whole schema: its properties, the variant that is chosen of several, and free names beside where it allows them. */
export function SchemaForm({ schema, value, onChange, path, problemAt }) {
  if (schema.discriminator) {
    return html`<${VariantField} one=${schema} root=${schema} value=${value} set=${onChange} label=${nameOf(schema.discriminator.propertyName)} path=${path} problemAt=${problemAt} common=${{}} isFlat />`;
  }
  const known = Object.keys(schema.properties ?? {});
  const free = Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => !known.includes(name)));
  const fixed = Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => known.includes(name)));
  return html`<${Fields} schema=${schema} value=${value} path=${path} problemAt=${problemAt} onChange=${onChange} />
    ${typeof schema.additionalProperties === "object" && html`<${PairsField} label="Further fields" common=${{}} value=${free} set=${(next) => onChange({ ...fixed, ...next })} />`}`;
}

/** Where one of several variants must be chosen, the first one is. */
export function blankFor(schema) {
  return schema?.discriminator ? { [schema.discriminator.propertyName]: Object.keys(schema.discriminator.mapping)[0] } : {};
}

function TextField({ one, common, value, set }) {
  const isLong = ["text", "html", "body", "description"].includes(common.name.toLowerCase()) || one.maxLength > 1000;
  return html`<${Text} ...${common} value=${value} lines=${isLong ? 6 : undefined} onInput=${(next) => set(next || undefined)} />`;
}

function NumberField({ one, common, value, set }) {
  return html`<${Text} ...${common} type="number" value=${value} min=${one.minimum} max=${one.maximum}
    onInput=${(next) => set(next === "" ? undefined : Number(next))} />`;
}

function ChoiceField({ one, common, value, set, nullable }) {
  const options = one.enum.map((each) => [each, nameOf(each)]);
  return html`<${Choice} ...${common} value=${value} onChange=${(next) => set(next || undefined)}
    options=${nullable ? [["", "–"], ...options] : options} />`;
}

function CheckField({ common, value, set }) {
  return html`<${Check} name=${common.name} value=${Boolean(value)} onChange=${set} />`;
}

/** The browser's own control shows local time; the API wants a zone. */
function MomentField({ common, value, set }) {
  return html`<${Text} ...${common} type="datetime-local" value=${toLocal(value)} help="In your time zone"
    onInput=${(next) => set(next ? new Date(next).toISOString() : undefined)} />`;
}

export function toLocal(value) {
  const at = new Date(value ?? NaN);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const UNITS = [
  ["D", "days", 86_400_000],
  ["H", "hours", 3_600_000],
  ["M", "minutes", 60_000],
  ["S", "seconds", 1_000],
];

/** A number and a unit; written as ISO 8601. */
function DurationField({ common, value, set }) {
  const ms = durationMs(value);
  const fitting = ms ? UNITS.find(([, , size]) => ms % size === 0) : UNITS[0];
  const [chosen, setChosen] = useState(fitting[0]);
  const unit = UNITS.find(([letter, , size]) => letter === chosen && (!ms || ms % size === 0)) ?? fitting;
  function write(amount, [letter]) {
    set(amount === "" ? undefined : letter === "D" ? `P${amount}D` : `PT${amount}${letter}`);
  }
  return html`<${Labelled} ...${common}>${(given) => html`<div class="joined">
    <input type="number" min="1" ...${given} value=${ms ? ms / unit[2] : ""} onInput=${(event) => write(event.target.value, unit)} />
    <select aria-label="${common.name}: unit" value=${unit[0]} onChange=${(event) => {
      const next = UNITS.find(([letter]) => letter === event.target.value);
      setChosen(next[0]);
      if (ms) write(String(ms / unit[2]), next);
    }}>${UNITS.map(([letter, words]) => html`<option value=${letter}>${words}</option>`)}</select>
  </div>`}<//>`;
}

function VersionField({ common, value, set }) {
  return html`<${Text} ...${common} value=${value === "latest" ? "" : value} type="number" min="1" placeholder="Latest when published"
    onInput=${(next) => set(next === "" ? undefined : Number(next))} />`;
}

/** Some of an enum. */
function SeveralField({ one, root, common, value, set, label }) {
  const names = unwrap(one.items, root).schema.enum;
  const chosen = value ?? [];
  const toggle = (each) => set(names.filter((name) => (name === each) !== chosen.includes(name)));
  return html`<fieldset class="field ${common.problem ? "wrong" : ""}"><legend>${label}</legend>
    <div class="choices">${names.map((each) => html`<label class="chip"><input type="checkbox" checked=${chosen.includes(each)}
      onChange=${() => toggle(each)} /> ${nameOf(each)}</label>`)}</div>
    ${common.problem && html`<p class="problem">${common.problem}</p>`}</fieldset>`;
}

/** A list of words, each added by Enter or a comma. */
export function WordsField({ common, value, set }) {
  const [typed, setTyped] = useState("");
  const words = value ?? [];
  function add() {
    const fresh = typed.split(",").map((each) => each.trim()).filter((each) => each && !words.includes(each));
    if (fresh.length) set([...words, ...fresh]);
    setTyped("");
  }
  function onKeyDown(event) {
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      add();
    } else if (event.key === "Backspace" && !typed && words.length) set(words.slice(0, -1));
  }
  return html`<${Labelled} ...${common}>${(given) => html`
    ${words.length > 0 && html`<span class="tags">${words.map((word) => html`<span class="tag" key=${word}>${word}<button type="button"
      aria-label="Remove ${word}" onClick=${() => set(words.filter((each) => each !== word))}>×</button></span>`)}</span>`}
    <input ...${given} value=${typed} onInput=${(event) => setTyped(event.target.value)} onKeyDown=${onKeyDown} onBlur=${add}
      placeholder="Type and press Enter" />`}<//>`;
}

/** Names and values. */
export function PairsField({ common, value, set, label }) {
  const [typed, setTyped] = useState("");
  const pairs = Object.entries(value ?? {});
  const setOne = (name, text) => set({ ...value, [name]: readScalar(text, value[name]) });
  function drop(name) {
    const { [name]: gone, ...rest } = value;
    set(rest);
  }
  function add() {
    if (typed.trim()) set({ ...value, [typed.trim()]: "" });
    setTyped("");
  }
  return html`<fieldset class="field ${common.problem ? "wrong" : ""}"><legend>${label}</legend>
    ${pairs.map(([name, text]) => html`<div class="pair" key=${name}>
      <code title=${name}>${name}</code>
      <input aria-label="${label}: ${name}" value=${text ?? ""} onInput=${(event) => setOne(name, event.target.value)} />
      <${Button} quiet aria-label="Remove ${name}" onClick=${() => drop(name)}>×<//></div>`)}
    <div class="pair add"><input aria-label="${label}: new name" placeholder="New name" value=${typed} onInput=${(event) => setTyped(event.target.value)}
      onKeyDown=${(event) => event.key === "Enter" && (event.preventDefault(), add())} /><${Button} onClick=${add} disabled=${!typed.trim()}>Add<//></div>
    ${common.problem && html`<p class="problem">${common.problem}</p>`}</fieldset>`;
}

/** A number stays one while it is edited to another one. */
function readScalar(text, before) {
  return typeof before === "number" && text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
}

/** One of several forms, told apart by one property. */
function VariantField({ one, root, value, set, label, path, special, problemAt, common, isFlat }) {
  const tagName = one.discriminator.propertyName;
  const variants = variantsOf(one, root);
  const tag = value?.[tagName] ?? variants[0][0];
  const chosen = variants.find(([each]) => each === tag)?.[1];
  return html`<${Choice} name=${label} value=${tag} problem=${common.problem} options=${variants.map(([each]) => [each, nameOf(each)])}
      onChange=${(next) => set({ [tagName]: next })} />
    ${chosen && Object.keys(chosen.properties).length > 1 && html`<div class="${isFlat ? "" : "inset"} form"><${Fields} schema=${chosen} root=${root} value=${value}
      onChange=${set} without=${[tagName]} path=${path} special=${special} problemAt=${problemAt} /></div>`}`;
}

function GroupField({ one, root, value, set, label, path, special, problemAt }) {
  return html`<fieldset class="form inset"><legend>${label}</legend><${Fields} schema=${one} root=${root} value=${value} onChange=${set}
    path=${path} special=${special} problemAt=${problemAt} /></fieldset>`;
}

/** What no other control fits is edited as it is written. */
export function JsonField({ common, value, set, lines = 6 }) {
  const [typed, setTyped] = useState(null);
  const [wrong, setWrong] = useState("");
  function write(text) {
    setTyped(text);
    try {
      set(text.trim() ? JSON.parse(text) : undefined);
      setWrong("");
    } catch (error) {
      setWrong(error.message);
    }
  }
  const shown = typed ?? (value === undefined ? "" : JSON.stringify(value, null, 2));
  return html`<${Text} ...${common} problem=${wrong || common.problem} value=${shown} lines=${lines} class="code" spellcheck=${false} onInput=${write} />`;
}

const KINDS = {
  text: TextField,
  number: NumberField,
  choice: ChoiceField,
  check: CheckField,
  moment: MomentField,
  duration: DurationField,
  version: VersionField,
  several: SeveralField,
  words: WordsField,
  pairs: PairsField,
  variant: VariantField,
  group: GroupField,
  json: JsonField,
};
