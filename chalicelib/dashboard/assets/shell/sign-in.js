// The way in: a key, tried on the workspace that it opens.
import { html, useState } from "../vendor/preact.js";
import { call } from "../lib/api.js";
import { signIn } from "../lib/session.js";
import { Modal } from "../components/dialog.js";
import { Button, Problem, Text } from "../components/parts.js";

function KeyForm({ lead }) {
  const [typed, setTyped] = useState("");
  const [state, setState] = useState({ busy: false, error: null });
  async function submit(event) {
    event.preventDefault();
    setState({ busy: true, error: null });
    try {
      const found = await call("GET", "/v1/workspace", { asKey: typed.trim() });
      signIn(typed.trim(), found.data);
    } catch (error) {
      setState({ busy: false, error });
    }
  }
  const refused = state.error?.status === 401;
  return html`<form class="sign-in" onSubmit=${submit}>
    <p class="brand">carillon<b>.</b></p>
    <h1>Sign in</h1>
    <p class="muted">${lead}</p>
    <${Text} name="API key" type="password" autocomplete="current-password" spellcheck=${false} required
      value=${typed} onInput=${setTyped} autofocus placeholder="cln_live_…"
      problem=${refused ? "This key opens nothing: it is mistyped, expired or revoked." : ""} />
    ${!refused && html`<${Problem} of=${state.error} />`}
    <${Button} primary type="submit" busy=${state.busy}>Sign in<//>
  </form>`;
}

export function SignIn() {
  return html`<main class="gate"><${KeyForm}
    lead="With a key of your workspace. It stays in this tab and is forgotten when you close it." /></main>`;
}

/** Over the page, which keeps what was typed. */
export function SignInAgain() {
  return html`<${Modal} label="Sign in again">
    <${KeyForm} lead="Your key is not accepted any more. Nothing on the page behind is lost: give a key, and it goes on." />
  <//>`;
}
