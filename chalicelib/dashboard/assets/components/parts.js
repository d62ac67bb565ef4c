// @ts-check
// The basic components that every screen uses.
import { html, signal, useEffect, useId } from "../vendor/preact.js";
import { common } from "../lib/texts/en/common.js";
import { moment, momentInFull, relative } from "../lib/times.js";
import { statusWord, title, tone } from "../lib/words.js";

/** @typedef {import("../vendor/preact.js").ComponentChildren} Children */
/** @typedef {import("../lib/times.js").Instant} Instant */

/** @param {{of: string}} props a status of the API */
export function Status({ of }) {
  return html`<span class="status"><i class="dot ${tone(of)}"></i>${statusWord(of)}</span>`;
}

/**
 * A time, relative by default, in full on hover.
 * @param {{at: Instant, plain?: boolean}} props `plain` shows the date and time
 */
export function Time({ at, plain }) {
  if (!at) return html`<span class="muted">${common.none}</span>`;
  return html`<time datetime=${at} title=${momentInFull(at)}>${plain ? moment(at) : relative(at)}</time>`;
}

/**
 * Head and body of a screen; sets the window's title.
 * @param {{name: string, lead?: Children, actions?: Children, back?: {href: string, name: string}, wide?: boolean, children: Children}} props
 */
export function Page({ name, lead, actions, back, wide, children }) {
  useEffect(() => {
    document.title = common.page.title(name);
  }, [name]);
  return html`<div class="page ${wide ? "wide" : ""}">
    <header class="head">
      <div class="grow">
        ${back && html`<a class="back" href=${back.href}>${back.name}</a>`}
        <h1 tabindex="-1">${name || common.page.unnamed}</h1>
        ${lead && html`<div class="lead">${lead}</div>`}
      </div>
      ${actions && html`<div class="actions">${actions}</div>`}
    </header>
    ${children}
  </div>`;
}

/** @param {{name?: string, actions?: Children, children: Children, class?: string}} props */
export function Card({ name, actions, children, class: extra = "" }) {
  const id = useId();
  return html`<section class="card ${extra}" aria-labelledby=${name ? id : undefined}>
    ${name && html`<div class="card-head"><h2 id=${id}>${name}</h2>${actions}</div>`}
    ${children}
  </section>`;
}

/**
 * A button; further properties are attributes of the element.
 * @param {{primary?: boolean, quiet?: boolean, danger?: boolean, busy?: boolean, disabled?: boolean, class?: string, children: Children,
 *   [attribute: string]: any}} props
 */
export function Button({ primary, quiet, danger, busy, class: extra = "", children, ...rest }) {
  const kind = primary ? "primary" : danger ? "danger" : quiet ? "quiet" : "";
  return html`<button type="button" class="button ${kind} ${extra}" aria-busy=${busy || undefined} ...${rest}
    disabled=${rest.disabled || busy}>${children}</button>`;
}

/**
 * An error with its message for each field.
 * @param {{of: import("../lib/api.js").ApiError | null | undefined, again?: (() => unknown) | null, what?: string}} props `what` names
 *   the part that a server without its route does not have
 */
export function Problem({ of, again, what = common.errors.this }) {
  if (!of) return null;
  if (of.isMissingRoute) {
    return html`<div class="notice" role="status">${common.errors.notAvailable(what)}</div>`;
  }
  const details = (of.details || []).filter((each) => !of.message.includes(each.message)).slice(0, 12);
  return html`<div class="notice bad" role="alert">
    <div class="grow">
      <p>${of.message}</p>
      ${details.length > 0 && html`<ul>${details.map((each) => html`<li><code>${each.field}</code> ${each.message}</li>`)}</ul>`}
      ${of.body?.requestId && of.status >= 500 && html`<p class="muted">${common.errors.request(of.body.requestId)}</p>`}
    </div>
    ${again && html`<${Button} onClick=${again}>${common.errors.tryAgain}<//>`}
  </div>`;
}

/**
 * The data of useLoad, or the error in its place.
 * @param {{from: import("../lib/load.js").Load<any>, what?: string, children: (data: any) => Children}} props
 */
export function Loaded({ from, what, children }) {
  if (from.data === undefined && from.error) {
    return html`<${Problem} of=${from.error} what=${what} again=${from.error.isMissingRoute ? null : from.reload} />`;
  }
  if (from.data === undefined) {
    return html`<div class="waiting" role="status">
      <span class="bones" aria-hidden="true"><i></i><i></i><i></i></span>
      ${from.slow ? common.loading.slow : html`<span class="unseen">${common.loading.now}</span>`}
    </div>`;
  }
  return html`${from.error && html`<${Problem} of=${from.error} what=${what} again=${from.reload} />`}${children(from.data)}`;
}

/**
 * An empty list: what it is for, and one action.
 * @param {{name: string, children: Children, action?: Children}} props
 */
export function Empty({ name, children, action }) {
  return html`<div class="empty"><h2>${name}</h2><p>${children}</p>${action}</div>`;
}

/** @typedef {{name: string | Children, cell: (row: any) => Children, class?: string}} Column */

/**
 * A table that scrolls by itself when it is too wide. A column of class "num" is aligned right; a column of class "less"
 * is hidden on phones. On phones each row becomes a card, except in a table of `numbers`, which a reader compares down
 * the columns. The roles are explicit because browsers drop them when CSS changes the display of a table.
 * @param {{label: string, columns: Column[], rows: any[], keyOf?: (row: any) => string | number, numbers?: boolean}} props
 */
export function Table({ label, columns, rows, keyOf = (row) => row.uid, numbers }) {
  return html`<div class="table ${numbers ? "" : "is-list"}" role="region" aria-label=${label} tabindex="0">
    <table role="table">
      <thead role="rowgroup"><tr role="row">${columns.map((column) => html`<th scope="col" role="columnheader" class=${column.class || ""}>${column.name || html`<span class="unseen">${common.table.actions}</span>`}</th>`)}</tr></thead>
      <tbody role="rowgroup">${rows.map((row) => html`<tr role="row" key=${keyOf(row)}>
        ${columns.map((column) => html`<td role="cell" class=${column.class || ""} data-name=${column.name}>${column.cell(row)}</td>`)}
      </tr>`)}</tbody>
    </table>
  </div>`;
}

/**
 * The button for the next page of usePages.
 * @param {{from: {later: import("../lib/load.js").LaterPages, hasMore: boolean, more: () => unknown}}} props
 */
export function More({ from }) {
  if (from.later.error) return html`<${Problem} of=${from.later.error} again=${from.more} />`;
  if (!from.hasMore) return null;
  return html`<div class="more"><${Button} onClick=${from.more} busy=${from.later.loading}>${common.table.more}<//></div>`;
}

/**
 * A labelled bar.
 * @param {{parts: [number, string][], of: number, label?: string}} props `parts` are [value, class]; `of` is the whole
 */
export function Bar({ parts, of, label }) {
  return html`<div class="bar" role="img" aria-label=${label || common.bar(parts, of)}>
    ${parts.map(([value, kind]) => html`<i class=${kind} style=${{ width: `${of ? Math.min(100, (value / of) * 100) : 0}%` }}></i>`)}
  </div>`;
}

/**
 * Pairs of name and value; a pair without a value is left out.
 * @param {{of: [string, Children][]}} props
 */
export function Facts({ of }) {
  const shown = of.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** @param {{of: string[]}} props */
export function Tags({ of }) {
  return html`<span class="tags">${of.map((tag) => html`<span class="tag" key=${tag}>${tag}</span>`)}</span>`;
}

/**
 * Links between views; the current one is marked.
 * @param {{label: string, of: {id: string, name: string, href: string}[], chosen: string}} props
 */
export function Tabs({ label, of, chosen }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${of.map(({ id, name, href }) => html`<a href=${href} aria-current=${id === chosen ? "page" : undefined}>${name}</a>`)}
  </nav>`;
}

/**
 * Raw JSON, folded.
 * @param {{of: unknown, name?: string}} props
 */
export function Raw({ of, name = common.raw }) {
  return html`<details class="raw"><summary>${name}</summary><pre tabindex="0">${JSON.stringify(of, null, 2)}</pre></details>`;
}

/**
 * @typedef {object} FieldProps
 * @property {string} name the label
 * @property {string} [help]
 * @property {string} [problem] what is wrong with the value
 * @property {string} [warning]
 * @property {boolean} [optional]
 */

/**
 * A label with its control. `children(attributes)` draws the control with the attributes that connect the two.
 * @param {FieldProps & {children: (attributes: Record<string, string | undefined>) => Children}} props
 */
export function Labelled({ name, help, problem, warning, optional, children }) {
  const id = useId();
  const describedBy = [help && `${id}-h`, problem && `${id}-p`, warning && `${id}-w`].filter(Boolean).join(" ");
  return html`<div class="field ${problem ? "wrong" : ""}">
    <label for=${id}>${name}${optional && html` <small>${common.form.optional}</small>`}</label>
    ${children({ id, "aria-describedby": describedBy || undefined, "aria-invalid": problem ? "true" : undefined })}
    ${help && html`<p class="help" id="${id}-h">${help}</p>`}
    ${warning && html`<p class="warning" id="${id}-w">${warning}</p>`}
    ${problem && html`<p class="problem" id="${id}-p">${problem}</p>`}
  </div>`;
}

/**
 * A text field; with `lines` a text area. Further properties are attributes of the element.
 * @param {FieldProps & {value: any, onInput: (next: string) => void, lines?: number, [attribute: string]: any}} props
 */
export function Text({ name, value, onInput, help, problem, warning, optional, lines, ...rest }) {
  return html`<${Labelled} ...${{ name, help, problem, warning, optional }}>${(attributes) =>
    lines
      ? html`<textarea rows=${lines} value=${value ?? ""} onInput=${(event) => onInput(event.target.value)} ...${attributes} ...${rest}></textarea>`
      : html`<input value=${value ?? ""} onInput=${(event) => onInput(event.target.value)} ...${attributes} ...${rest} />`}<//>`;
}

/**
 * A select. A value that is not among the options is shown as not found.
 * @param {FieldProps & {value: string | null | undefined, onChange: (next: string) => void, options: [string, string?][],
 *   [attribute: string]: any}} props `options` are [value, label]; "" is no value
 */
export function Choice({ name, value, onChange, options, help, problem, warning, optional, ...rest }) {
  const known = options.some(([each]) => each === (value ?? ""));
  return html`<${Labelled} ...${{ name, help, problem, warning, optional }}>${(attributes) => html`
    <select value=${value ?? ""} onChange=${(event) => onChange(event.target.value)} ...${attributes} ...${rest}>
      ${!known && html`<option value=${value ?? ""}>${value ? common.form.notFound(value) : common.form.choose}</option>`}
      ${options.map(([each, label]) => html`<option value=${each} key=${each}>${label ?? title(each)}</option>`)}
    </select>`}<//>`;
}

/** @param {{name: string, value: boolean | undefined, onChange: (next: boolean) => void, help?: string}} props */
export function Check({ name, value, onChange, help }) {
  const id = useId();
  return html`<div class="check">
    <input type="checkbox" id=${id} checked=${value} onChange=${(event) => onChange(event.target.checked)} />
    <label for=${id}>${name}</label>${help && html`<p class="help">${help}</p>`}
  </div>`;
}

/** @type {import("../vendor/preact.js").Signal<{text: string, kind: string}[]>} */
const notes = signal([]);

/**
 * Show a short message at the edge of the page for 6 seconds.
 * @param {string} text
 * @param {"" | "bad"} kind
 */
export function say(text, kind = "") {
  const note = { text, kind };
  notes.value = [...notes.value.slice(-2), note];
  setTimeout(() => {
    notes.value = notes.value.filter((each) => each !== note);
  }, 6_000);
}

export function Notes() {
  return html`<div class="notes" role="status" aria-live="polite">
    ${notes.value.map((note) => html`<p class=${note.kind}>${note.text}</p>`)}
  </div>`;
}
