// @ts-check
// Starts the dashboard, signed in or not.
import { html, render, useEffect, useState } from "../vendor/preact.js";
import { get, toApiError } from "../lib/api.js";
import { expired, key, workspace } from "../lib/session.js";
import { common } from "../lib/texts/en/common.js";
import { Loaded } from "../components/parts.js";
import { App } from "./app.js";
import { SignIn } from "./sign-in.js";

/** The key of this tab may come from before a reload. Then the workspace is read first. */
function Root() {
  const [error, setError] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
  const open = () => get("/v1/workspace").then((found) => (workspace.value = found), (failure) => setError(toApiError(failure)));
  useEffect(() => {
    if (key.value && !workspace.value) open();
  }, []);
  if (!key.value) return html`<${SignIn} />`;
  if (workspace.value) return html`<${App} />`;
  if (expired.value) return html`<${SignIn} />`;
  return html`<main class="page"><h1 class="unseen">${common.brand}</h1>
    <${Loaded} from=${{ data: undefined, error, reload: () => (setError(null), open()) }} /></main>`;
}

const place = document.getElementById("app");
if (place) {
  place.replaceChildren();
  render(html`<${Root} />`, place);
}
