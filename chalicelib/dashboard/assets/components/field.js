// @ts-check
// Controls for a JSON Schema. The forms of steps, channels and contents consist of these.
import { html, useState } from "../vendor/preact.js";
import { kindOf, nameOf, unwrap, variantsOf } from "../lib/schema.js";
import { components } from "../lib/texts/en/components.js";
import { durationMs } from "../lib/times.js";
import { Button, Check, Choice, Labelled, Text } from "./parts.js";

const text = components.field;

/** @typedef {import("../lib/schema.js").Schema} Schema */
/**
 * @typedef {object} FormContext
 * @property {string} path where the value is, as the API writes it
 * @property {(path: string) => string} problemAt returns what the API says about the value at a path
 * @property {Record<string, any>} [special] components that draw a field by its name, in place of its schema
 */

/**
 * The control for one field.
 * @param {FormContext & {name: string, schema: Schema, root: Schema, value: any, onChange: (next: any) => void, required?: boolean,
 *   label?: string, [property: string]: any}} props further properties go to the components of `special`
 */
export function Field(props) {
  const { name, schema, root, value, onChange, special = {}, path, problemAt, required } = props;
  const Special = special[name];
  if (Special) return html`<${Special} ...${props} />`;
  const kind = kindOf(schema, root);
  const { schema: one, nullable } = unwrap(schema, root);
  const label = props.label ?? nameOf(name);
  const common = { name: label, problem: problemAt(path), optional: !required && kind !== "check" };
  const Control = KINDS[kind];
  return Control ? html`<${Control} ...${props} one=${one} nullable=${nullable} common=${common} label=${label}
    value=${value === undefined ? one.default : value} set=${onChange} />` : null;
}

/** Other fields depend on these, so they come first. */
const FIRST = ["name", "channelUid"];
const rank = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);

/**
 * Controls for all properties of an object except `without`. The properties of `must` are required in any case.
 * @param {Omit<FormContext, "path"> & {path?: string, schema: Schema, root?: Schema, value: any,
 *   onChange: (next: any, name: string) => void, without?: string[], must?: string[], [property: string]: any}} props
 */
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

/**
 * The form for a whole schema: its properties, or the chosen variant, and free names if the schema allows them.
 * @param {FormContext & {schema: Schema, value: any, onChange: (next: any) => void}} props
 */
export function SchemaForm({ schema, value, onChange, path, problemAt }) {
  if (schema.discriminator) {
    return html`<${VariantField} one=${schema} root=${schema} value=${value} set=${onChange} label=${nameOf(schema.discriminator.propertyName)} path=${path} problemAt=${problemAt} common=${{}} isFlat />`;
  }
  const known = Object.keys(schema.properties ?? {});
  const free = Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => !known.includes(name)));
  const fixed = Object.fromEntries(Object.entries(value ?? {}).filter(([name]) => known.includes(name)));
  return html`<${Fields} schema=${schema} value=${value} path=${path} problemAt=${problemAt} onChange=${onChange} />
    ${typeof schema.additionalProperties === "object" && html`<${PairsField} label=${text.furtherFields} common=${{}} value=${free} set=${(next) => onChange({ ...fixed, ...next })} />`}`;
}

/**
 * Return the first value of a form: the first variant if the schema has several.
 * @param {Schema} schema
 * @returns {Record<string, any>}
 */
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

/** A date and time. The browser's control shows local time; the API expects an offset. */
function MomentField({ common, value, set }) {
  return html`<${Text} ...${common} type="datetime-local" value=${toLocal(value)} help=${text.localTime}
    onInput=${(next) => set(next ? new Date(next).toISOString() : undefined)} />`;
}

/**
 * Return a time of the API in the form of a `datetime-local` control.
 * @param {import("../lib/times.js").Instant} value
 */
export function toLocal(value) {
  const at = new Date(value ?? NaN);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Letters of ISO 8601 durations → ms. */
const UNITS = { D: 86_400_000, H: 3_600_000, M: 60_000, S: 1_000 };

/** A number and a unit, written as an ISO 8601 duration. */
function DurationField({ common, value, set }) {
  const ms = durationMs(value);
  const largest = (ms && Object.keys(UNITS).find((each) => ms % UNITS[each] === 0)) || "D";
  const [chosen, setChosen] = useState(largest);
  const unit = !ms || ms % UNITS[chosen] === 0 ? chosen : largest;
  const amount = ms ? ms / UNITS[unit] : "";
  function write(next, unitCode) {
    set(next === "" ? undefined : unitCode === "D" ? `P${next}D` : `PT${next}${unitCode}`);
  }
  function setUnit(unitCode) {
    setChosen(unitCode);
    if (ms) write(amount, unitCode);
  }
  return html`<${Labelled} ...${common}>${(attributes) => html`<div class="joined">
    <input type="number" min="1" ...${attributes} value=${amount} onInput=${(event) => write(event.target.value, unit)} />
    <select aria-label=${text.unit(common.name)} value=${unit} onChange=${(event) => setUnit(event.target.value)}>${
      Object.keys(UNITS).map((unitCode) => html`<option value=${unitCode}>${text.units[unitCode]}</option>`)}</select>
  </div>`}<//>`;
}

function VersionField({ common, value, set }) {
  return html`<${Text} ...${common} value=${value === "latest" ? "" : value} type="number" min="1" placeholder=${text.latest}
    onInput=${(next) => set(next === "" ? undefined : Number(next))} />`;
}

/** Several values of an enum. */
function SeveralField({ one, root, common, value, set, label }) {
  const names = unwrap(one.items, root).schema.enum;
  const chosen = value ?? [];
  const toggle = (each) => set(names.filter((name) => (name === each) !== chosen.includes(name)));
  return html`<fieldset class="field ${common.problem ? "wrong" : ""}"><legend>${label}</legend>
    <div class="choices">${names.map((each) => html`<label class="chip"><input type="checkbox" checked=${chosen.includes(each)}
      onChange=${() => toggle(each)} /> ${nameOf(each)}</label>`)}</div>
    ${common.problem && html`<p class="problem">${common.problem}</p>`}</fieldset>`;
}

/**
 * A list of words. Enter or a comma adds a word.
 * @param {{common: {name: string, problem?: string}, value: string[] | null | undefined, set: (next: string[]) => void}} props
 */
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
  return html`<${Labelled} ...${common}>${(attributes) => html`
    ${words.length > 0 && html`<span class="tags">${words.map((word) => html`<span class="tag" key=${word}>${word}<button type="button"
      aria-label=${text.remove(word)} onClick=${() => set(words.filter((each) => each !== word))}>×</button></span>`)}</span>`}
    <input ...${attributes} value=${typed} onInput=${(event) => setTyped(event.target.value)} onKeyDown=${onKeyDown} onBlur=${add}
      placeholder=${text.enterToAdd} />`}<//>`;
}

/**
 * Pairs of name and value.
 * @param {{common: {problem?: string}, value: Record<string, any> | null | undefined, set: (next: Record<string, any>) => void, label: string}} props
 */
export function PairsField({ common, value, set, label }) {
  const [typed, setTyped] = useState("");
  const pairs = Object.entries(value ?? {});
  const setOne = (name, next) => set({ ...value, [name]: readScalar(next, value?.[name]) });
  const drop = (name) => set(Object.fromEntries(pairs.filter(([each]) => each !== name)));
  function add() {
    if (typed.trim()) set({ ...value, [typed.trim()]: "" });
    setTyped("");
  }
  return html`<fieldset class="field ${common.problem ? "wrong" : ""}"><legend>${label}</legend>
    ${pairs.map(([name, current]) => html`<div class="pair" key=${name}>
      <code title=${name}>${name}</code>
      <input aria-label=${text.pair(label, name)} value=${current ?? ""} onInput=${(event) => setOne(name, event.target.value)} />
      <${Button} quiet aria-label=${text.remove(name)} onClick=${() => drop(name)}>×<//></div>`)}
    <div class="pair add"><input aria-label=${text.newNameOf(label)} placeholder=${text.newName} value=${typed} onInput=${(event) => setTyped(event.target.value)}
      onKeyDown=${(event) => event.key === "Enter" && (event.preventDefault(), add())} /><${Button} onClick=${add} disabled=${!typed.trim()}>${text.add}<//></div>
    ${common.problem && html`<p class="problem">${common.problem}</p>`}</fieldset>`;
}

/** A value that was a number stays a number while it is edited. */
function readScalar(typed, before) {
  return typeof before === "number" && typed !== "" && !Number.isNaN(Number(typed)) ? Number(typed) : typed;
}

/** One of several forms; one property selects the form. */
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

/** Values without a control of their own are edited as JSON. */
function JsonField({ common, value, set, lines = 6 }) {
  const [typed, setTyped] = useState(null);
  const [wrong, setWrong] = useState("");
  function write(next) {
    setTyped(next);
    try {
      set(next.trim() ? JSON.parse(next) : undefined);
      setWrong("");
    } catch (error) {
      setWrong(String(error));
    }
  }
  const shown = typed ?? (value === undefined ? "" : JSON.stringify(value, null, 2));
  return html`<${Text} ...${common} problem=${wrong || common.problem} value=${shown} lines=${lines} class="code" spellcheck=${false} onInput=${write} />`;
}

/** @type {Record<string, any>} */
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
