// @ts-check
// Reads the JSON Schemas that the API returns for steps, channels and contents, for the forms made from them.
import { components } from "./texts/en/components.js";
import { title } from "./words.js";

/** @typedef {any} Schema a JSON Schema, or a part of one */

/**
 * Return the words for a field or a value of a schema.
 * @param {string} name
 */
export const nameOf = (name) => components.fields[name] || components.steps.weekdays[name] || title(name);

/**
 * Follow the `$ref` of a schema.
 * @param {Schema} schema
 * @param {Schema} root the schema that holds the definitions
 * @returns {Schema}
 */
export function resolve(schema, root) {
  if (schema?.$ref) {
    const { $ref, ...rest } = schema;
    const found = $ref.split("/").slice(1).reduce((here, part) => here?.[part], root);
    return { ...resolve(found ?? {}, root), ...rest };
  }
  return schema ?? {};
}

/**
 * Return whether a value may be null, and the schema of its other values: one schema, or several as `choices`.
 * @param {Schema} schema
 * @param {Schema} root
 * @returns {{schema: Schema, nullable: boolean, choices: Schema[] | null}}
 */
export function unwrap(schema, root) {
  const resolved = resolve(schema, root);
  const members = resolved.anyOf ?? resolved.oneOf;
  if (!members) return { schema: resolved, nullable: false, choices: null };
  const all = members.map((each) => resolve(each, root));
  const rest = all.filter((each) => each.type !== "null");
  const nullable = rest.length < all.length;
  if (rest.length === 1) return { schema: { ...resolved, anyOf: undefined, ...rest[0] }, nullable, choices: null };
  return { schema: resolved, nullable, choices: rest };
}

/**
 * Return the kind of control for a schema.
 * @param {Schema} schema
 * @param {Schema} root
 */
export function kindOf(schema, root) {
  const { schema: one, choices } = unwrap(schema, root);
  if (choices) return kindOfChoices(one, choices);
  if ("const" in one) return "fixed";
  if (one.enum) return "choice";
  if (one.type === "array") return kindOfArray(one, root);
  if (one.type === "object") return one.properties || one.additionalProperties === false ? "group" : "pairs";
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

/**
 * Return the members of a discriminated union as [tag, schema] pairs.
 * @param {Schema} schema
 * @param {Schema} root
 * @returns {[string, Schema][]}
 */
export function variantsOf(schema, root) {
  const { mapping } = schema.discriminator;
  return Object.entries(mapping).map(([tag, ref]) => [tag, resolve({ $ref: ref }, root)]);
}

/**
 * Return a step of this type with its required fields only.
 * @param {string} type
 * @param {Schema} schema
 * @param {string} id
 * @returns {import("./steps.js").Step}
 */
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
