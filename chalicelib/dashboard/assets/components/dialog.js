// Dialogs: the browser's own <dialog>, one at a time, awaited like a question.
import { computed, html, signal, useLayoutEffect, useRef, useState } from "../vendor/preact.js";
import { common } from "../lib/texts/en/common.js";
import { Button, Notes, Problem } from "./parts.js";

const shown = signal(null);

/** Shows `Content` with the properties and `close(answer)`; resolves with the answer, undefined when dismissed. */
export function ask(Content, properties = {}) {
  return new Promise((resolve) => {
    shown.value?.close(undefined);
    const close = (answer) => {
      if (shown.value === question) shown.value = null;
      resolve(answer);
    };
    const question = { Content, properties, close };
    shown.value = question;
  });
}

export const isAsking = computed(() => shown.value !== null);

/** A question about a screen that is left is not asked any more. */
export const dismiss = () => shown.value?.close(undefined);

export function Dialogs() {
  const question = shown.value;
  if (!question) return null;
  return html`<${Modal} key=${question} label=${question.properties.label} class=${question.properties.wide ? "wide" : ""} close=${question.close}>
    <${question.Content} ...${question.properties} close=${question.close} />
    <${Notes} />
  <//>`;
}

/** A modal dialog; Escape and a click beside it dismiss it where `close` is given. */
export function Modal({ label, close, children, class: extra = "" }) {
  const ref = useRef(null);
  // At once: no key may reach the page beneath a question.
  useLayoutEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      before?.focus?.();
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

/** A question with one answer: `act` runs while the dialog stays; its error is shown in it. */
export function confirm({ label, text, action, danger, act }) {
  return ask(Confirmation, { label, text, action, danger, act });
}

function Confirmation({ label, text, action, danger, act, close }) {
  const [state, setState] = useState({ busy: false, error: null });
  async function run() {
    setState({ busy: true, error: null });
    try {
      close((await act()) ?? true);
    } catch (error) {
      setState({ busy: false, error });
    }
  }
  return html`<h2>${label}</h2>
    <div class="dialog-body">${text}</div>
    <${Problem} of=${state.error} />
    <div class="dialog-foot">
      <${Button} onClick=${() => close()}>${common.cancel}<//>
      <${Button} primary=${!danger} danger=${danger} busy=${state.busy} onClick=${run} autofocus>${action}<//>
    </div>`;
}
