// @ts-check
// Conditions as rows and groups: for lanes, segments and event triggers.
import { html } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { opWord } from "../lib/outline.js";
import { nameOf } from "../lib/schema.js";
import { useSheet } from "../lib/sheets.js";
import { components } from "../lib/texts/en/components.js";
import { title } from "../lib/words.js";
import { Field, WordsField } from "./field.js";
import { Button, Choice, Text } from "./parts.js";

await useSheet(import.meta.resolve("./detail.css"));

const text = components.conditionForm;
const FIELDS = ["email", "phone", "firstName", "lastName", "externalId", "locale", "timezone", "status", "createdAt"];
const OPS = ["eq", "ne", "contains", "startsWith", "in", "exists", "gt", "gte", "lt", "lte", "before", "after", "within"];
const MESSAGE_STATUSES = ["sent", "delivered", "opened", "clicked", "replied", "bounced", "failed", "skipped", "unknown"];
const MESSAGE_TYPES = ["NEWSLETTER", "MESSAGE", "CONVERSATION"];
const DURATION = { anyOf: [{ type: "string" }, { properties: { seconds: {} } }] };
/** The first value of a row of each kind. */
const BLANK = {
  message: { message: "", is: "opened" },
  field: { field: "email", op: "exists" },
  tag: { tag: "" },
  consent: { consent: "email", messageType: "NEWSLETTER", is: "GRANTED" },
  event: { event: "" },
  property: { property: "", op: "eq", value: "" },
};
const KINDS = Object.keys(BLANK);

/** Return the kinds that the schema of this server's CONDITION step has. */
function knownKinds() {
  /** @type {any[]} */
  const parts = Object.values(names.value.nodeTypes.get("CONDITION")?.$defs ?? {});
  return KINDS.filter((kind) => parts.some((each) => each.required?.includes(kind)));
}

const kindOf = (when) => KINDS.find((kind) => kind in (when ?? {})) ?? "";
const isGroup = (when) => Boolean(when) && ("all" in when || "any" in when);

/**
 * The form of a condition.
 * @param {{value: any, onChange: (next: any) => void, messages?: [string, string][], kinds?: string[]}} props `messages` are [ID, name] of
 *   the messages that a row can ask about; `kinds` are the kinds of rows on offer
 */
export function When({ value, onChange, messages = [], kinds = knownKinds() }) {
  const rows = isGroup(value) ? (value.all ?? value.any) : value ? [value] : [];
  const joint = value && "any" in value ? "any" : "all";
  const context = { messages, kinds: kinds.filter((kind) => kind !== "message" || messages.length) };
  const write = (list, by = joint) => onChange(!list.length ? undefined : list.length === 1 && !isGroup(list[0]) ? list[0] : { [by]: list });
  return html`<div class="when">
    ${rows.length > 1 && html`<${Choice} name=${text.match} value=${joint} onChange=${(next) => write(rows, next)} options=${[["all", text.all], ["any", text.any]]} />`}
    <ol class="form">${rows.map((row, index) => html`<li class="inset">
      <${Row} value=${row} context=${context} onChange=${(next) => write(rows.with(index, next))} remove=${() => write(rows.toSpliced(index, 1))} />
    </li>`)}</ol>
    <div class="row">
      <${Button} onClick=${() => write([...rows, blankOf(context)])}>${text.add}<//>
      <${Button} quiet onClick=${() => write([...rows, { [joint === "all" ? "any" : "all"]: [blankOf(context)] }])}>${text.addGroup}<//>
    </div>
  </div>`;
}

function blankOf({ kinds, messages }) {
  return kinds[0] === "message" ? blankMessage(messages) : { ...BLANK[kinds[0]] };
}

/** Most conditions ask about the latest message. */
const blankMessage = (messages) => ({ message: messages.at(-1)[0], is: "opened" });

function Row({ value, context, onChange, remove }) {
  if (value?.not) {
    return html`<div class="between"><span class="label">${text.excluded}</span><${Button} quiet onClick=${() => onChange(value.not)}>${text.include}<//></div>
      <${Row} value=${value.not} context=${context} onChange=${(next) => onChange({ not: next })} remove=${remove} />`;
  }
  if (isGroup(value)) {
    return html`<${When} value=${value} onChange=${(next) => (next ? onChange(next) : remove())} ...${context} />`;
  }
  const kind = kindOf(value);
  const offered = context.kinds.includes(kind) ? context.kinds : [kind, ...context.kinds].filter(Boolean);
  const KindRow = ROWS[kind];
  return html`<${Choice} name=${text.filterBy} value=${kind} options=${offered.map((each) => [each, text.kinds[each]])}
      onChange=${(next) => onChange(next === "message" ? blankMessage(context.messages) : { ...BLANK[next] })} />
    ${KindRow && html`<${KindRow} value=${value} set=${(changes) => onChange(defined({ ...value, ...changes }))} ...${context} />`}
    <div class="row"><${Button} quiet onClick=${() => onChange({ not: value })}>${text.exclude}<//><${Button} quiet onClick=${remove}>${text.remove}<//></div>`;
}

const defined = (value) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
const options = (record) => Object.entries(record);

function Within({ value, set }) {
  return html`<${Field} name="within" label=${text.withinLast} schema=${DURATION} root=${DURATION} value=${value.within} path="within" problemAt=${() => ""}
    onChange=${(within) => set({ within })} />`;
}

function FieldRow({ value, set }) {
  const isAttribute = !FIELDS.includes(value.field);
  return html`<${Choice} name=${text.field} value=${isAttribute ? "attribute" : value.field} options=${[...FIELDS.map((each) => [each, nameOf(each)]), ["attribute", text.attributeOption]]}
      onChange=${(next) => set({ field: next === "attribute" ? "attributes.name" : next })} />
    ${isAttribute && html`<${Text} name=${text.attribute} value=${value.field.replace(/^attributes\./, "")}
      onInput=${(next) => set({ field: `attributes.${next}` })} />`}
    <${Comparison} value=${value} set=${set} />`;
}

function PropertyRow({ value, set }) {
  return html`<${Text} name=${text.property} value=${value.property} placeholder=${text.propertyExample} onInput=${(property) => set({ property })} />
    <${Comparison} value=${value} set=${set} />`;
}

/** An operator and the value that it compares with. */
function Comparison({ value, set }) {
  const op = value.op ?? "eq";
  return html`<${Choice} name=${text.operator} value=${op} options=${OPS.map((each) => [each, opWord(each)])} onChange=${(next) => set(blankComparison(next))} />
    ${op === "within" && html`<${Within} value=${value} set=${set} />`}
    ${op === "in" && html`<${WordsField} common=${{ name: text.values }} value=${value.value} set=${(next) => set({ value: next })} />`}
    ${op === "exists" && html`<${Choice} name=${text.value} value=${String(value.value ?? true)} options=${options(text.set)} onChange=${(next) => set({ value: next === "true" })} />`}
    ${!["within", "in", "exists"].includes(op) && html`<${Text} name=${text.value} value=${value.value} type=${inputType(op)}
      onInput=${(next) => set({ value: readValue(next, op) })} />`}`;
}

const ORDERED = ["gt", "gte", "lt", "lte"];
const inputType = (op) => (ORDERED.includes(op) ? "number" : op === "before" || op === "after" ? "date" : "text");

function blankComparison(op) {
  const value = { in: [], exists: true, within: undefined }[op];
  return { op, value, within: op === "within" ? "P30D" : undefined };
}

/** The operators of ORDERED compare numbers. All others compare text: the API does not match text with a number. */
function readValue(typed, op) {
  return ORDERED.includes(op) && typed !== "" ? Number(typed) : typed;
}

function TagRow({ value, set }) {
  return html`<${Text} name=${text.tag} value=${value.tag} onInput=${(tag) => set({ tag })} />
    <${Choice} name=${text.contact} value=${String(value.is ?? true)} options=${options(text.has)} onChange=${(next) => set({ is: next === "false" ? false : undefined })} />`;
}

function MessageRow({ value, set, messages }) {
  return html`<${Choice} name=${text.message} value=${value.message} options=${messages} onChange=${(message) => set({ message })} />
    <${Choice} name=${text.messageStatus} value=${value.is ?? ""} options=${MESSAGE_STATUSES.map((each) => [each, title(each)])} onChange=${(is) => set({ is, channelUsed: undefined })} />
    <${Within} value=${value} set=${set} />`;
}

function ConsentRow({ value, set }) {
  const channelTypes = [...names.value.channelTypes.keys()];
  const states = [...["GRANTED", "REVOKED", "PENDING"].map((each) => [each, title(each)]), ["open", text.neverAsked]];
  return html`<${Choice} name=${text.channelType} value=${value.consent} options=${channelTypes.map((each) => [each, nameOf(each)])} onChange=${(consent) => set({ consent })} />
    <${Choice} name=${text.messageType} value=${value.messageType ?? "NEWSLETTER"} options=${MESSAGE_TYPES.map((each) => [each, nameOf(each)])}
      onChange=${(messageType) => set({ messageType })} />
    <${Choice} name=${text.consentState} value=${value.is === null ? "open" : (value.is ?? "GRANTED")} options=${states}
      onChange=${(next) => set({ is: next === "open" ? null : next })} />`;
}

function EventRow({ value, set }) {
  return html`<${Text} name=${text.event} value=${value.event} placeholder=${text.eventExample} onInput=${(event) => set({ event })} />
    <${Choice} name=${text.contact} value=${String(value.is ?? true)} options=${options(text.did)} onChange=${(next) => set({ is: next === "false" ? false : undefined })} />
    <${Text} name=${text.times} type="number" min="1" value=${value.times ?? 1} onInput=${(times) => set({ times: Number(times) || 1 })} />
    <${Within} value=${value} set=${set} />
    ${value.where
      ? html`<div class="inset"><span class="label">${text.where}</span><${When} value=${value.where} kinds=${["property"]} onChange=${(where) => set({ where })} /></div>`
      : html`<div class="row"><${Button} quiet onClick=${() => set({ where: { ...BLANK.property } })}>${text.addWhere}<//></div>`}`;
}

/** @type {Record<string, any>} */
const ROWS = { field: FieldRow, tag: TagRow, message: MessageRow, consent: ConsentRow, event: EventRow, property: PropertyRow };
