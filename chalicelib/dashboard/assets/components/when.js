// Conditions as rows in AND/OR groups: for lanes, segments and event triggers.
import { html } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { opWord } from "../lib/outline.js";
import { useSheet } from "../lib/sheets.js";
import { Field, WordsField } from "./field.js";
import { Button, Choice, Text } from "./parts.js";

await useSheet(import.meta.resolve("./detail.css"));

const FIELDS = ["email", "phone", "firstName", "lastName", "externalId", "locale", "timezone", "status", "createdAt"];
const OPS = ["eq", "ne", "contains", "startsWith", "in", "exists", "gt", "gte", "lt", "lte", "before", "after", "within"];
const REACHED = ["sent", "delivered", "opened", "clicked", "replied", "bounced", "failed", "skipped", "unknown"];
const DURATION = { anyOf: [{ type: "string" }, { properties: { seconds: {} } }] };
const KINDS = {
  message: { name: "Earlier message", blank: { message: "", is: "opened" } },
  field: { name: "Contact field", blank: { field: "email", op: "exists" } },
  tag: { name: "Tag", blank: { tag: "" } },
  consent: { name: "Consent", blank: { consent: "email", messageType: "NEWSLETTER", is: "GRANTED" } },
  event: { name: "Event in the history", blank: { event: "" } },
  property: { name: "Property of the event", blank: { property: "", op: "eq", value: "" } },
};

/** The kinds that this server's conditions know, as its schema says. */
function knownKinds() {
  const parts = Object.values(names.value.nodeTypes.get("CONDITION")?.$defs ?? {});
  return Object.keys(KINDS).filter((kind) => parts.some((each) => each.required?.includes(kind)));
}

const kindOf = (when) => Object.keys(KINDS).find((kind) => kind in (when ?? {}));
const isGroup = (when) => Boolean(when) && ("all" in when || "any" in when);

/** `messages`: [id, name] of the messages that can be asked for; `kinds` are the rows on offer, all by default. */
export function When({ value, onChange, messages = [], kinds = knownKinds() }) {
  const rows = isGroup(value) ? (value.all ?? value.any) : value ? [value] : [];
  const joint = value && "any" in value ? "any" : "all";
  const context = { messages, kinds: kinds.filter((kind) => kind !== "message" || messages.length) };
  const write = (list, by = joint) => onChange(!list.length ? undefined : list.length === 1 && !isGroup(list[0]) ? list[0] : { [by]: list });
  return html`<div class="when">
    ${rows.length > 1 && html`<${Choice} name="Holds when" value=${joint} onChange=${(next) => write(rows, next)}
      options=${[["all", "all of these hold"], ["any", "any of these holds"]]} />`}
    <ol class="form">${rows.map((row, index) => html`<li class="inset">
      <${Row} value=${row} context=${context} onChange=${(next) => write(rows.with(index, next))} remove=${() => write(rows.toSpliced(index, 1))} />
    </li>`)}</ol>
    <div class="row">
      <${Button} onClick=${() => write([...rows, blankOf(context)])}>Add a comparison<//>
      <${Button} quiet onClick=${() => write([...rows, { [joint === "all" ? "any" : "all"]: [blankOf(context)] }])}>Add a group<//>
    </div>
  </div>`;
}

function blankOf({ kinds, messages }) {
  const kind = kinds[0];
  return kind === "message" ? { message: messages.at(-1)[0], is: "opened" } : { ...KINDS[kind].blank };
}

function Row({ value, context, onChange, remove }) {
  if (value?.not) {
    return html`<div class="between"><span class="label">Not:</span><${Button} quiet onClick=${() => onChange(value.not)}>Undo “not”<//></div>
      <${Row} value=${value.not} context=${context} onChange=${(next) => onChange({ not: next })} remove=${remove} />`;
  }
  if (isGroup(value)) {
    return html`<${When} value=${value} onChange=${(next) => (next ? onChange(next) : remove())} ...${context} />`;
  }
  const kind = kindOf(value);
  const offered = context.kinds.includes(kind) ? context.kinds : [kind, ...context.kinds].filter(Boolean);
  const Drawn = ROWS[kind];
  return html`<${Choice} name="Look at" value=${kind} options=${offered.map((each) => [each, KINDS[each].name])}
      onChange=${(next) => onChange(next === "message" ? blankOf({ ...context, kinds: ["message"] }) : { ...KINDS[next].blank })} />
    ${Drawn && html`<${Drawn} value=${value} set=${(changes) => onChange(tidy({ ...value, ...changes }))} ...${context} />`}
    <div class="row"><${Button} quiet onClick=${() => onChange({ not: value })}>Not<//><${Button} quiet onClick=${remove}>Remove<//></div>`;
}

/** Without what is not said. */
function tidy(value) {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}

function Within({ value, set, name = "Within" }) {
  return html`<${Field} name=${name} schema=${DURATION} root=${DURATION} value=${value.within} path="within" problemAt=${() => ""}
    onChange=${(within) => set({ within })} />`;
}

function FieldRow({ value, set }) {
  const isAttribute = !FIELDS.includes(value.field);
  return html`<${Choice} name="Field" value=${isAttribute ? "attribute" : value.field} options=${[...FIELDS.map((each) => [each]), ["attribute", "An attribute …"]]}
      onChange=${(next) => set({ field: next === "attribute" ? "attributes.name" : next })} />
    ${isAttribute && html`<${Text} name="Attribute" value=${value.field.replace(/^attributes\./, "")}
      onInput=${(next) => set({ field: `attributes.${next}` })} />`}
    <${Compared} value=${value} set=${set} />`;
}

function PropertyRow({ value, set }) {
  return html`<${Text} name="Property" value=${value.property} placeholder="cart.total" onInput=${(property) => set({ property })} />
    <${Compared} value=${value} set=${set} />`;
}

/** An operator and what it compares with. */
function Compared({ value, set }) {
  const op = value.op ?? "eq";
  return html`<${Choice} name="Comparison" value=${op} options=${OPS.map((each) => [each, opWord(each)])} onChange=${(next) => set(freshValue(next))} />
    ${op === "within" && html`<${Within} value=${value} set=${set} />`}
    ${op === "in" && html`<${WordsField} common=${{ name: "Values" }} value=${value.value} set=${(next) => set({ value: next })} />`}
    ${op === "exists" && html`<${Choice} name="Value" value=${String(value.value ?? true)} options=${[["true", "It is there"], ["false", "It is missing"]]}
      onChange=${(next) => set({ value: next === "true" })} />`}
    ${!["within", "in", "exists"].includes(op) && html`<${Text} name="Value" value=${value.value} type=${typeOf(op)}
      onInput=${(next) => set({ value: readValue(next, op) })} />`}`;
}

const ORDERED = ["gt", "gte", "lt", "lte"];
const typeOf = (op) => (ORDERED.includes(op) ? "number" : op === "before" || op === "after" ? "date" : "text");

function freshValue(op) {
  const value = { in: [], exists: true, within: undefined }[op];
  return { op, value, within: op === "within" ? "P30D" : undefined };
}

/** Orders compare numbers; everything else is text, as the API takes a number for a number only. */
function readValue(text, op) {
  return ORDERED.includes(op) && text !== "" ? Number(text) : text;
}

function TagRow({ value, set }) {
  return html`<${Text} name="Tag" value=${value.tag} onInput=${(tag) => set({ tag })} />
    <${Choice} name="The contact" value=${String(value.is ?? true)} options=${[["true", "has it"], ["false", "does not have it"]]}
      onChange=${(next) => set({ is: next === "false" ? false : undefined })} />`;
}

function MessageRow({ value, set, messages }) {
  return html`<${Choice} name="Message" value=${value.message} options=${messages} onChange=${(message) => set({ message })} />
    <${Choice} name="Was" value=${value.is ?? ""} options=${REACHED.map((each) => [each])} onChange=${(is) => set({ is, channelUsed: undefined })} />
    <${Within} value=${value} set=${set} name="Within the last" />`;
}

function ConsentRow({ value, set }) {
  const channelTypes = [...names.value.channelTypes.keys()];
  return html`<${Choice} name="Channel type" value=${value.consent} options=${channelTypes.map((each) => [each])} onChange=${(consent) => set({ consent })} />
    <${Choice} name="For" value=${value.messageType ?? "NEWSLETTER"} options=${["NEWSLETTER", "MESSAGE", "CONVERSATION"].map((each) => [each])}
      onChange=${(messageType) => set({ messageType })} />
    <${Choice} name="Is" value=${value.is === null ? "open" : (value.is ?? "GRANTED")} options=${[["GRANTED"], ["REVOKED"], ["PENDING"], ["open", "Never asked"]]}
      onChange=${(next) => set({ is: next === "open" ? null : next })} />`;
}

function EventRow({ value, set }) {
  return html`<${Text} name="Event name" value=${value.event} placeholder="order.placed" onInput=${(event) => set({ event })} />
    <${Choice} name="The contact" value=${String(value.is ?? true)} options=${[["true", "did it"], ["false", "did not do it"]]}
      onChange=${(next) => set({ is: next === "false" ? false : undefined })} />
    <${Text} name="At least so many times" type="number" min="1" value=${value.times ?? 1} onInput=${(times) => set({ times: Number(times) || 1 })} />
    <${Within} value=${value} set=${set} name="Within the last" />
    ${value.where
      ? html`<div class="inset"><span class="label">Only where</span><${When} value=${value.where} kinds=${["property"]} onChange=${(where) => set({ where })} /></div>`
      : html`<${Button} quiet onClick=${() => set({ where: { ...KINDS.property.blank } })}>Only with certain properties<//>`}`;
}

const ROWS = { field: FieldRow, tag: TagRow, message: MessageRow, consent: ConsentRow, event: EventRow, property: PropertyRow };
