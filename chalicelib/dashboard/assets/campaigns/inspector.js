// @ts-check
// The panel beside the timeline: the form of the selected part, and the issues to fix before publishing.
import { html, useState } from "../vendor/preact.js";
import { serverNow } from "../lib/clock.js";
import { names } from "../lib/names.js";
import { headline, typeName } from "../lib/outline.js";
import { nameOf } from "../lib/schema.js";
import { fieldOf, idsOf, stepAt } from "../lib/steps.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
import { Fields } from "../components/field.js";
import { Icon } from "../components/icons.js";
import { Button, Choice, Raw } from "../components/parts.js";
import { AudienceForm, SettingsForm } from "./audience-form.js";
import { LanesField } from "./lanes-field.js";
import { TriggerForm } from "./trigger-form.js";

const text = campaigns.inspector;
/** Issues that the list shows. */
const MAX_ISSUES = 50;

/** @param {{editor: import("./editor.js").Editor, overview: any}} props */
export function Inspector({ editor, overview }) {
  const chosen = editor.selected.value;
  const step = chosen?.path && stepAt(editor.draft.parts.value.steps, chosen.path);
  const [Form, name] = step ? [StepForm, typeName(step.type)] : (FORMS[chosen?.kind ?? ""] ?? [null, ""]);
  return html`<aside class="panel ${Form ? "is-open" : ""}" aria-label=${name || campaigns.campaign.title}>
    ${Form
      ? html`<div class="panel-head"><h2>${name}</h2><button type="button" class="icon-button" aria-label=${common.close} onClick=${() => close(editor)}><${Icon} name="close" /></button></div>
        <${Form} editor=${editor} draft=${editor.draft} step=${step} path=${chosen?.path} key=${step ? step.id : name} />`
      : overview}
    <${Checklist} editor=${editor} />
  </aside>`;
}

/** @type {Record<string, [any, string]>} */
const FORMS = { trigger: [TriggerForm, text.forms.trigger], audience: [AudienceForm, text.forms.audience], settings: [SettingsForm, text.forms.settings] };

function close(editor) {
  const chosen = editor.selected.value;
  if (chosen?.path) editor.focus.value = fieldOf(chosen.path);
  editor.selected.value = null;
}

/** Fields that are rarely changed; the form folds them. */
const RARE = ["id", "templateVersion", "parameterStrategy", "parameters", "parameterDefaults", "fallback"];
/** A WAIT step has exactly one of these fields. */
const WAITS = text.waits;
const OF_WAIT = [...WAITS.map(([name]) => name), "weekdays"];
const WAIT_BLANK = { for: "P1D", until: undefined, localTime: "09:00" };

const SPECIAL = { channelUid: ChannelField, templateUid: TemplateField, lanes: LanesField };

function StepForm({ editor, step, path }) {
  const schema = names.value.nodeTypes.get(step.type);
  if (!schema) return html`<p class="notice warn">${text.unknownType(step.type)}</p><${Raw} of=${step} />`;
  const problems = editor.problemsOf(path);
  const problemAt = (field) => problems.filter((each) => within(each.rest, field)).map((each) => each.message).join("; ");
  const properties = Object.keys(schema.properties);
  const rare = properties.filter((name) => RARE.includes(name));
  const common = { schema, value: step, problemAt, special: SPECIAL, editor, step, stepPath: path };
  const set = (next, name) => editor.change(path, name === "channelUid" ? withoutTemplate(next, step) : next, name);
  const whole = problems.filter((each) => each.rest === "");
  return html`<div class="form">
    ${whole.map((each) => html`<p class="problem">${each.message}</p>`)}
    <${Fields} ...${common} onChange=${set} without=${["type", ...rare, ...(step.type === "WAIT" ? OF_WAIT : [])]} />
    ${step.type === "WAIT" && html`<${WaitForm} ...${common} set=${set} />`}
    <details class="more-fields" open=${problems.some((each) => RARE.some((name) => within(each.rest, name)))}>
      <summary>${text.more}</summary><div class="form"><${Fields} ...${common} onChange=${set} without=${properties.filter((name) => !RARE.includes(name))} /></div></details>
    <div class="row">
      <${Button} onClick=${() => editor.duplicate(path)}>${text.duplicate}<//>
      <${Button} onClick=${() => editor.copy(path)}>${text.copy}<//>
      <${Button} danger onClick=${() => editor.remove(path)}>${text.delete}<//>
    </div>
  </div>`;
}

/** A field shows the problems of everything inside it. Lanes are the exception: each of their fields shows its own. */
const within = (place, field) => place === field || (field !== "lanes" && (place.startsWith(`${field}.`) || place.startsWith(`${field}[`)));

function waitOf(step) {
  return WAITS.find(([name]) => step[name] !== undefined && step[name] !== null)?.[0];
}

function WaitForm({ step, set, ...common }) {
  const [chosen, setChosen] = useState(waitOf(step) ?? "for");
  function change(next) {
    setChosen(next);
    const { weekdays, ...rest } = step;
    for (const [name] of WAITS) delete rest[name];
    const tomorrow = new Date(serverNow() + 86_400_000).toISOString();
    set({ ...rest, ...(next === "localTime" && weekdays ? { weekdays } : {}), [next]: WAIT_BLANK[next] ?? tomorrow }, "wait");
  }
  const others = Object.keys(common.schema.properties).filter((name) => name !== chosen && !(name === "weekdays" && chosen === "localTime"));
  return html`<${Choice} name=${text.wait} value=${chosen} options=${WAITS} onChange=${change} />
    <${Fields} ...${common} onChange=${set} without=${others} must=${[chosen]} />`;
}

/** A template fits one channel type only. */
function withoutTemplate(next, before) {
  const type = (uid) => names.value.channels.get(uid)?.type;
  if (!before.channelUid || type(next.channelUid) === type(before.channelUid)) return next;
  return { ...next, templateUid: undefined };
}

function ChannelField({ value, onChange, problemAt, path, required }) {
  const channels = [...names.value.channels.values()];
  const options = channels.map((each) => [each.uid, text.channelOption(each.name, nameOf(each.type), each.active)]);
  return html`<${Choice} name=${text.channel} value=${value} problem=${problemAt(path)} onChange=${(next) => onChange(next || undefined)}
    options=${required ? options : [["", text.flowChannel], ...options]} />`;
}

/** The published templates that fit the channel, and the chosen template in any case. */
function TemplateField({ value, onChange, problemAt, path, step }) {
  const inFallback = path.startsWith("fallback");
  const type = names.value.channels.get(inFallback ? step.fallback?.channelUid : step.channelUid)?.type;
  const fitting = [...names.value.templates.values()].filter(
    (each) => each.uid === value || (each.status === "PUBLISHED" && (!type || each.channelType === type)),
  );
  const options = fitting.map((each) => [each.uid, `${each.name}${each.status === "PUBLISHED" ? "" : ` (${each.status.toLowerCase()})`}`]);
  return html`<${Choice} name=${text.template} value=${value} problem=${problemAt(path)} onChange=${onChange} options=${options}
    help=${fitting.length ? "" : text.noTemplate(type && nameOf(type))} />`;
}

function Checklist({ editor }) {
  const problems = editor.draft.problems.value;
  const steps = editor.draft.parts.value.steps;
  if (editor.draft.found.value === null) return null;
  if (!problems.length) return html`<p class="all-well"><i class="dot good"></i>${idsOf(steps).size ? text.nothing : text.firstStep}</p>`;
  return html`<section class="checklist" aria-label=${text.checklist}>
    <h3>${text.issues(problems.length)}</h3>
    <ul>${problems.slice(0, MAX_ISSUES).map((each) => html`<li><button type="button" onClick=${() => goToProblem(editor, each)}>
      <span class="mark ${each.level}" aria-hidden="true">!</span>
      <span><span class="unseen">${text.level(each.level)}</span>${each.message}${where(each, steps)}</span></button></li>`)}</ul>
    ${problems.length > MAX_ISSUES && html`<p class="muted">${text.moreIssues(problems.length - MAX_ISSUES)}</p>`}
  </section>`;
}

function where(problem, steps) {
  const step = problem.path.length && stepAt(steps, problem.path);
  return step ? html`<span class="muted">${text.in(headline(step, names.value))}</span>` : null;
}

function goToProblem(editor, problem) {
  if (problem.path.length) editor.goTo(problem.path);
  else editor.selected.value = { kind: ["audience", "trigger"].find((kind) => problem.field.startsWith(kind)) ?? "settings" };
}
