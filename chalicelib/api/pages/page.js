// Shows openapi.json. Everything is put in as text, never as markup.
const make = (tag, text = "", attributes = {}, ...children) => {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const byReference = (whole, value) =>
  value?.$ref ? value.$ref.slice(2).split("/").reduce((here, part) => here[part], whole) : value;

const table = (heads, rows) =>
  make("table", "", {},
    make("tr", "", {}, ...heads.map((head) => make("th", head))),
    ...rows.map((row) => make("tr", "", {}, ...row.map((cell) => make("td", String(cell ?? ""))))));

const typeOf = (schema = {}) => {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf || schema.oneOf) return (schema.anyOf ?? schema.oneOf).map(typeOf).join(" or ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.enum || "const" in schema) return (schema.enum ?? [schema.const]).join(" | ");
  return [schema.type ?? "any"].flat().join(" or ");
};

const limitsOf = (schema = {}) =>
  ["minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "pattern", "default"]
    .filter((name) => schema[name] !== undefined && schema[name] !== null)
    .map((name) => `${name} ${JSON.stringify(schema[name])}`).join(", ");

const fields = (whole, schema) => {
  const found = byReference(whole, schema) ?? {};
  const needed = new Set(found.required);
  const rows = Object.entries(found.properties ?? {}).map(([name, each]) =>
    [name + (needed.has(name) ? " *" : ""), typeOf(each), limitsOf(each), each.description ?? ""]);
  return rows.length ? table(["field (* needed)", "type", "limits", ""], rows) : make("p", typeOf(schema));
};

const examplesOf = (content) => Object.values(content?.examples ?? {}).map((each) =>
  make("pre", JSON.stringify(each.value, null, 2), { tabindex: "0" }));

const showOperation = (whole, path, method, operation) => {
  const inside = make("div", operation.description ?? "");
  if (operation.parameters?.length)
    inside.append(make("h3", "Parameters"), table(["name", "in", "type", "limits", ""], operation.parameters.map((each) =>
      [each.name, each.in, typeOf(each.schema), limitsOf(each.schema), each.description ?? ""])));
  const body = operation.requestBody?.content?.["application/json"];
  if (body) inside.append(make("h3", "Body"), fields(whole, body.schema), ...examplesOf(body));
  inside.append(make("h3", "Answers"));
  for (const [status, answer] of Object.entries(operation.responses)) {
    const found = byReference(whole, answer);
    inside.append(make("p", `${status} ${found.description}`));
    inside.append(...examplesOf(found.content?.["application/json"]));
  }
  const scope = operation["x-scope"] ?? "open";
  const summary = make("summary", "", {}, make("span", method.toUpperCase(), { class: "method" }),
    make("code", path), make("span", scope, { class: "scope" }), document.createTextNode(` ${operation.summary}`));
  return make("details", "", { id: operation.operationId }, summary, inside);
};

const whole = await (await fetch("openapi.json")).json();
const main = document.getElementById("routes");
document.getElementById("about").textContent = whole.info.description;
const groups = new Map();
for (const [path, methods] of Object.entries(whole.paths))
  for (const [method, operation] of Object.entries(methods)) {
    const tag = operation.tags[0];
    if (!groups.has(tag)) groups.set(tag, make("section", "", {}, make("h2", tag)));
    groups.get(tag).append(showOperation(whole, path, method, operation));
  }
const schemas = make("section", "", {}, make("h2", "schemas"));
for (const [name, schema] of Object.entries(whole.components.schemas))
  schemas.append(make("details", "", { id: `schema-${name}` }, make("summary", name),
    make("div", schema.description ?? "", {}, fields(whole, schema))));
main.append(...groups.values(), schemas);
main.removeAttribute("aria-busy");
document.getElementById("find").addEventListener("input", (event) => {
  const wanted = event.target.value.toLowerCase();
  for (const each of main.querySelectorAll("details")) each.hidden = !each.textContent.toLowerCase().includes(wanted);
});
