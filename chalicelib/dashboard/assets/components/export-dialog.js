// @ts-check
// Exports contacts or executions to a file: starts the export, waits for it and links the file.
import { html, useState } from "../vendor/preact.js";
import { get, post } from "../lib/api.js";
import { useLoad } from "../lib/load.js";
import { common } from "../lib/texts/en/common.js";
import { components } from "../lib/texts/en/components.js";
import { ask } from "./dialog.js";
import { Button, Loaded, Status } from "./parts.js";

const text = components.export;
const POLL_MS = 1_000;

/**
 * @param {object} request the body of `POST /v1/exports`
 * @param {string} what names the exported objects in the title
 */
export const askExport = (request, what) => ask(Export, { label: text.title(what), request });

function Export({ label, request, close }) {
  const [every, setEvery] = useState(POLL_MS);
  const started = useLoad((signal) => post("/v1/exports", request, { signal }), []);
  const task = useLoad(
    async (signal) => {
      const found = started.data && (await get(`/v1/exports/${started.data.uid}`, {}, signal));
      if (["completed", "failed"].includes(found?.status)) setEvery(0);
      return found;
    },
    [started.data?.uid],
    { every },
  );
  return html`<h2>${label}</h2>
    <${Loaded} from=${started} what=${text.what}>${(first) => html`<p><${Status} of=${(task.data ?? first).status} /></p>
      ${task.data?.url && html`<div class="row"><a class="button primary" href=${task.data.url} download>${text.download}</a></div>`}`}<//>
    <div class="dialog-foot"><${Button} onClick=${() => close()}>${common.done}<//></div>`;
}
