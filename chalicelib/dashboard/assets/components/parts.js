// The pieces that every screen is made of.
import { html, signal, useEffect, useId } from "../vendor/preact.js";
import { common } from "../lib/texts/en/common.js";
import { moment, momentInFull, relative } from "../lib/times.js";
import { statusWord, title, tone } from "../lib/words.js";

export function Status({ of }) {
  return html`<span class="status"><i class="dot ${tone(of)}"></i>${statusWord(of)}</span>`;
}

/** A moment, relative by default, in full on hover. */
export function Time({ at, plain }) {
  if (!at) return html`<span class="muted">${common.none}</span>`;
  return html`<time datetime=${at} title=${momentInFull(at)}>${plain ? moment(at) : relative(at)}</time>`;
}

/** Head and body of a screen; sets the window's title. */
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

export function Card({ name, actions, children, class: extra = "" }) {
  const id = useId();
  return html`<section class="card ${extra}" aria-labelledby=${name ? id : undefined}>
    ${name && html`<div class="card-head"><h2 id=${id}>${name}</h2>${actions}</div>`}
    ${children}
  </section>`;
}

export function Button({ primary, quiet, danger, busy, class: extra = "", children, ...rest }) {
  const kind = primary ? "primary" : danger ? "danger" : quiet ? "quiet" : "";
  return html`<button type="button" class="button ${kind} ${extra}" aria-busy=${busy || undefined} ...${rest}
    disabled=${rest.disabled || busy}>${children}</button>`;
}

/** An error in words, with what was wrong field by field. */
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

/** What was loaded by useLoad, or why it is not there. */
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

/** Nothing there yet: why it is worth having, and the one thing to do. */
export function Empty({ name, children, action }) {
  return html`<div class="empty"><h2>${name}</h2><p>${children}</p>${action}</div>`;
}

/**
 * A table that scrolls by itself where it is too wide. `columns`: {name, cell(row), class}; a column of class "num"
 * is aligned right, one of class "less" is left out on phones. There each row becomes a card, but in a table of
 * `numbers`, which are compared down the columns. Roles are said, as a browser forgets them with another display.
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

export function More({ from }) {
  if (from.later.error) return html`<${Problem} of=${from.later.error} again=${from.more} />`;
  if (!from.hasMore) return null;
  return html`<div class="more"><${Button} onClick=${from.more} busy=${from.later.loading}>${common.table.more}<//></div>`;
}

/** A labelled bar; `parts` are [value, class] of `of`. */
export function Bar({ parts, of, label }) {
  return html`<div class="bar" role="img" aria-label=${label || common.bar(parts, of)}>
    ${parts.map(([value, kind]) => html`<i class=${kind} style=${{ width: `${of ? Math.min(100, (value / of) * 100) : 0}%` }}></i>`)}
  </div>`;
}

/** Name and value pairs. */
export function Facts({ of }) {
  const given = of.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<dl class="facts">${given.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function Tags({ of }) {
  return html`<span class="tags">${of.map((tag) => html`<span class="tag" key=${tag}>${tag}</span>`)}</span>`;
}

/** A switch between views: links, the chosen one marked. */
export function Tabs({ label, of, chosen }) {
  return html`<nav class="tabs" aria-label=${label}>
    ${of.map(({ id, name, href }) => html`<a href=${href} aria-current=${id === chosen ? "page" : undefined}>${name}</a>`)}
  </nav>`;
}

/** Raw JSON, folded away. */
export function Raw({ of, name = common.raw }) {
  return html`<details class="raw"><summary>${name}</summary><pre tabindex="0">${JSON.stringify(of, null, 2)}</pre></details>`;
}

/** A labelled control: `control(id, describedBy)` draws it. */
export function Labelled({ name, help, problem, warning, optional, children }) {
  const id = useId();
  const told = [help && `${id}-h`, problem && `${id}-p`, warning && `${id}-w`].filter(Boolean).join(" ");
  return html`<div class="field ${problem ? "wrong" : ""}">
    <label for=${id}>${name}${optional && html` <small>${common.form.optional}</small>`}</label>
    ${children({ id, "aria-describedby": told || undefined, "aria-invalid": problem ? "true" : undefined })}
    ${help && html`<p class="help" id="${id}-h">${help}</p>`}
    ${warning && html`<p class="warning" id="${id}-w">${warning}</p>`}
    ${problem && html`<p class="problem" id="${id}-p">${problem}</p>`}
  </div>`;
}

export function Text({ name, value, onInput, help, problem, warning, optional, lines, ...rest }) {
  return html`<${Labelled} ...${{ name, help, problem, warning, optional }}>${(given) =>
    lines
      ? html`<textarea rows=${lines} value=${value ?? ""} onInput=${(event) => onInput(event.target.value)} ...${given} ...${rest}></textarea>`
      : html`<input value=${value ?? ""} onInput=${(event) => onInput(event.target.value)} ...${given} ...${rest} />`}<//>`;
}

/** `options`: [value, label] pairs; "" stands for no value. */
export function Choice({ name, value, onChange, options, help, problem, warning, optional, ...rest }) {
  const known = options.some(([each]) => each === (value ?? ""));
  return html`<${Labelled} ...${{ name, help, problem, warning, optional }}>${(given) => html`
    <select value=${value ?? ""} onChange=${(event) => onChange(event.target.value)} ...${given} ...${rest}>
      ${!known && html`<option value=${value ?? ""}>${value ? common.form.notFound(value) : common.form.choose}</option>`}
      ${options.map(([each, label]) => html`<option value=${each} key=${each}>${label ?? title(each)}</option>`)}
    </select>`}<//>`;
}

export function Check({ name, value, onChange, help }) {
  const id = useId();
  return html`<div class="check">
    <input type="checkbox" id=${id} checked=${value} onChange=${(event) => onChange(event.target.checked)} />
    <label for=${id}>${name}</label>${help && html`<p class="help">${help}</p>`}
  </div>`;
}

const notes = signal([]);

/** A short message at the edge of the page. */
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
