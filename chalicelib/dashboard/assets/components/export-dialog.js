// Contacts or executions as a file: asked for, watched, taken.
import { html, useState } from "../vendor/preact.js";
import { get, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { ask } from "./dialog.js";
import { Button, Loaded, Status } from "./parts.js";

const POLL_MS = 1_000;

/** `wish` is the body of the API's call. */
export const askExport = (wish, what) => ask(Export, { label: `Export ${what}`, wish });

function Export({ label, wish, close }) {
  const [every, setEvery] = useState(POLL_MS);
  const asked = useLoad((signal) => post("/v1/exports", wish, { signal }), []);
  const task = useLoad(
    async (signal) => {
      const found = asked.data && (await get(`/v1/exports/${asked.data.uid}`, {}, signal));
      if (["completed", "failed"].includes(found?.status)) setEvery(0);
      return found;
    },
    [asked.data?.uid],
    { every },
  );
  return html`<h2>${label}</h2>
    <${Loaded} from=${asked} what="The export">${(first) => html`<p><${Status} of=${(task.data ?? first).status} /></p>
      ${task.data?.url && html`<div class="row"><a class="button primary" href=${task.data.url} download>Download the file</a></div>`}`}<//>
    <div class="dialog-foot"><${Button} onClick=${() => close()}>Done<//></div>`;
}
