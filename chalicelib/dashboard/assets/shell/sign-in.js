// @ts-check
// Sign-in with an API key, which is tested by reading its workspace.
import { html, useState } from "../vendor/preact.js";
import { call } from "../lib/api.js";
import { useAction } from "../lib/load.js";
import { signIn } from "../lib/session.js";
import { shell } from "../lib/texts/en/shell.js";
import { Modal } from "../components/dialog.js";
import { Button, Problem, Text } from "../components/parts.js";

const text = shell.signIn;

function KeyForm({ lead }) {
  const [typed, setTyped] = useState("");
  const [submit, busy, error] = useAction(async (event) => {
    event.preventDefault();
    const found = await call("GET", "/v1/workspace", { asKey: typed.trim() });
    signIn(typed.trim(), found.data);
  });
  const refused = error?.status === 401;
  return html`<form class="sign-in" onSubmit=${submit}>
    <p class="brand">carillon<b>.</b></p>
    <h1>${text.title}</h1>
    <p class="muted">${lead}</p>
    <${Text} name=${text.key} type="password" autocomplete="current-password" spellcheck=${false} required
      value=${typed} onInput=${setTyped} autofocus placeholder=${text.keyExample}
      problem=${refused ? text.refused : ""} />
    ${!refused && html`<${Problem} of=${error} />`}
    <${Button} primary type="submit" busy=${busy}>${text.submit}<//>
  </form>`;
}

export function SignIn() {
  return html`<main class="gate"><${KeyForm} lead=${text.lead} /></main>`;
}

/** The dialog above the page, which keeps what was typed. */
export function SignInAgain() {
  return html`<${Modal} label=${text.titleAgain}>
    <${KeyForm} lead=${text.leadAgain} />
  <//>`;
}
