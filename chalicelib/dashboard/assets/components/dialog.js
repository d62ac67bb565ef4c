// @ts-check
// Dialogs: the browser's <dialog>, one at a time. Code awaits the answer.
import { computed, html, signal, useLayoutEffect, useRef } from "../vendor/preact.js";
import { useAction } from "../lib/load.js";
import { common } from "../lib/texts/en/common.js";
import { Button, Notes, Problem } from "./parts.js";

/** @typedef {{Content: any, properties: any, close: (answer?: any) => void}} Question */

/** @type {import("../vendor/preact.js").Signal<Question | null>} */
const shown = signal(null);

/**
 * Show `Content` with the properties and `close(answer)`. Resolves with the answer, or undefined if it is dismissed.
 * @param {any} Content a component
 * @param {{label?: string, wide?: boolean, [property: string]: any}} properties
 * @returns {Promise<any>}
 */
export function ask(Content, properties = {}) {
  return new Promise((resolve) => {
    shown.value?.close(undefined);
    const close = (answer) => {
      if (shown.value === question) shown.value = null;
      resolve(answer);
    };
    /** @type {Question} */
    const question = { Content, properties, close };
    shown.value = question;
  });
}

export const isAsking = computed(() => shown.value !== null);

/** Dismiss the dialog, because the screen that it is about is left. */
export const dismiss = () => shown.value?.close(undefined);

export function Dialogs() {
  const question = shown.value;
  if (!question) return null;
  return html`<${Modal} key=${question} label=${question.properties.label} class=${question.properties.wide ? "wide" : ""} close=${question.close}>
    <${question.Content} ...${question.properties} close=${question.close} />
    <${Notes} />
  <//>`;
}

/**
 * A modal dialog. With `close`, Escape and a click outside dismiss it.
 * @param {{label: string, close?: (answer?: any) => void, children: import("./parts.js").Children, class?: string}} props
 */
export function Modal({ label, close, children, class: extra = "" }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // A layout effect runs before the next key press, so no key reaches the page below the dialog.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  function onCancel(event) {
    event.preventDefault();
    close?.(undefined);
  }
  function onPress(event) {
    if (event.target === ref.current) close?.(undefined);
  }
  return html`<dialog ref=${ref} class=${extra} aria-label=${label} onCancel=${onCancel} onMouseDown=${onPress}>
    <div class="dialog">${children}</div>
  </dialog>`;
}

/**
 * Ask for confirmation and run `act` when it is given. The dialog stays open while `act` runs, and shows its error.
 * Resolves with the result of `act`, or undefined if the dialog is dismissed.
 * @param {{label: string, text: string, action: string, danger?: boolean, act: () => Promise<any>}} question
 */
export function confirm({ label, text, action, danger, act }) {
  return ask(Confirmation, { label, text, action, danger, act });
}

function Confirmation({ label, text, action, danger, act, close }) {
  const [run, busy, error] = useAction(async () => close((await act()) ?? true));
  return html`<h2>${label}</h2>
    <div class="dialog-body">${text}</div>
    <${Problem} of=${error} />
    <div class="dialog-foot">
      <${Button} onClick=${() => close()}>${common.cancel}<//>
      <${Button} primary=${!danger} danger=${danger} busy=${busy} onClick=${run} autofocus>${action}<//>
    </div>`;
}
