// Reads the JSON Schemas that the API gives for steps, channels and contents, for forms made from them.
import { title } from "./words.js";

/** Names that read better than what the schema's own names become. */
const TITLES = {
  channelUid: "Channel", templateUid: "Template", templateVersion: "Template version", segmentUid: "Segment",
  parameterStrategy: "Values of parameters", parameters: "Parameters", parameterDefaults: "Defaults of parameters",
  for: "For", localTime: "At the contact’s local time", until: "Until", fromEmail: "From (address)",
  fromName: "From (name)", replyTo: "Reply to", tenantName: "SES tenant",
  html: "HTML", text: "Text", USE_DEFAULT: "Defaults only", USE_CONTACT_ASSOCIATION: "From the contact",
  none: "Skip the contact", channel: "Use another channel", MO: "Mon", TU: "Tue", WE: "Wed", TH: "Thu", FR: "Fri",
  SA: "Sat", SU: "Sun", latest: "Latest when published", email: "E-mail", sms: "SMS", rcs: "RCS", whatsapp: "WhatsApp",
  fallback: "If the contact cannot be reached", originationIdentity: "Sender (origination identity)", url: "URL",
  timeToLiveSeconds: "Time to live (s)", accountSid: "Account SID", secretName: "Name of the secret", aws: "AWS",
  phoneNumberId: "Phone number id", apiVersion: "API version", messagingServiceSid: "Messaging service SID", validityPeriodSeconds: "Validity (s)",
  configurationSet: "Configuration set", protectConfigurationId: "Protect configuration", maxPrice: "Highest price of a message",
}; // prettier-ignore

export const nameOf = (name) => TITLES[name] || title(name);

export function resolve(schema, root) {
  if (schema?.$ref) {
    const found = schema.$ref.split("/").slice(1).reduce((here, part) => here?.[part], root);
    return { ...resolve(found ?? {}, root), ...withoutRef(schema) };
  }
  return schema ?? {};
}

function withoutRef({ $ref, ...rest }) {
  return rest;
}

/** Whether the value may be left out by null, and the schema of the rest: one schema, or several as `choices`. */
export function unwrap(schema, root) {
  const resolved = resolve(schema, root);
  const members = resolved.anyOf ?? resolved.oneOf;
  if (!members) return { schema: resolved, nullable: false, choices: null };
  const given = members.map((each) => resolve(each, root));
  const rest = given.filter((each) => each.type !== "null");
  const nullable = rest.length < given.length;
  if (rest.length === 1) return { schema: { ...resolved, anyOf: undefined, ...rest[0] }, nullable, choices: null };
  return { schema: resolved, nullable, choices: rest };
}

/** What kind of control a schema wants. */
export function kindOf(schema, root) {
  const { schema: one, choices } = unwrap(schema, root);
  if (choices) return kindOfChoices(one, choices);
  if ("const" in one) return "fixed";
  if (one.enum) return "choice";
  if (one.type === "array") return kindOfArray(one, root);
  if (one.type === "object") return one.properties ? "group" : one.additionalProperties === false ? "group" : "pairs";
  if (one.type === "string") return one.format === "date-time" ? "moment" : "text";
  if (one.type === "integer" || one.type === "number") return "number";
  return one.type === "boolean" ? "check" : "json";
}

function kindOfChoices(schema, choices) {
  if (schema.discriminator) return "variant";
  const isDuration = choices.some((each) => each.type === "string") && choices.some((each) => each.properties?.seconds);
  if (isDuration) return "duration";
  const isVersion = choices.some((each) => "const" in each) && choices.some((each) => each.type === "integer");
  return isVersion ? "version" : "json";
}

function kindOfArray(schema, root) {
  const item = unwrap(schema.items ?? {}, root).schema;
  if (item.enum) return "several";
  return item.type === "string" ? "words" : "json";
}

/** The members of a discriminated union: [tag, schema] pairs. */
export function variantsOf(schema, root) {
  const { mapping } = schema.discriminator;
  return Object.entries(mapping).map(([tag, ref]) => [tag, resolve({ $ref: ref }, root)]);
}

/** A step of this type with nothing but what it must have. */
export function blankStep(type, schema, id) {
  const step = { id, type };
  if (!schema.properties?.lanes) return type === "WAIT" ? { ...step, for: "P1D" } : step;
  return { ...step, lanes: blankLanes(schema) };
}

function blankLanes(schema) {
  const lane = resolve(schema.properties.lanes.items, schema);
  if (lane.properties?.weight) return ["A", "B"].map((label) => ({ label, weight: 50, steps: [] }));
  return [{ label: "Yes", when: { field: "email", op: "exists" }, steps: [] }, { label: "No", steps: [] }];
}
