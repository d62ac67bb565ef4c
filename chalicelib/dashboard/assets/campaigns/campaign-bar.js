// @ts-check
// The bar above a campaign: name, state, undo, redo, and the actions that the state allows.
import { html } from "../vendor/preact.js";
import { get, post, remove } from "../lib/api.js";
import { useAction, useOnce } from "../lib/load.js";
import { go, to } from "../lib/router.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { common } from "../lib/texts/en/common.js";
import { timeOfDay } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { ask, confirm } from "../components/dialog.js";
import { Differences } from "../components/differences.js";
import { Icon } from "../components/icons.js";
import { Button, Problem, say, Status, Time } from "../components/parts.js";
import { isByOperator, Pause, pauseOfStatus } from "../components/pause.js";
import { STEP_KEYS } from "./editor.js";
import { askLaunch } from "./launch-dialog.js";

const text = campaigns.bar;
/** The API's limit of a name. */
const MAX_NAME = 200;
const PAUSED = ["PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE"];

/** @typedef {ReturnType<typeof import("./draft.js").openDraft>} Draft */
/** @typedef {import("../lib/load.js").Load<Api["CampaignStatusResponse"]>} StatusLoad */

/** @param {{draft: Draft, status: StatusLoad, watching: boolean, setWatching: (next: boolean) => void}} props */
export function CampaignBar({ draft, status, watching, setWatching }) {
  const server = draft.server.value;
  const state = status.data?.state ?? server.state;
  const { past, future } = draft.history.value;
  return html`<header class="bar-top">
    <div class="bar-name">
      <a class="back" href=${to("campaigns")}>${campaigns.campaign.back}</a>
      <h1 tabindex="-1" title=${draft.parts.value.name}>${draft.parts.value.name}</h1>
      <span class="bar-facts"><${Status} of=${state} />
        <span class="muted">${server.latestVersion ? `${common.version(server.latestVersion)}${server.draftChanged ? ` · ${common.unpublishedChanges}` : ""}` : common.neverPublished}</span>
        <${NextStart} schedule=${status.data?.schedule} />
        <span class="muted save-state ${draft.state.value}" role="status">${text.saving[draft.state.value]}</span></span>
    </div>
    <div class="actions">
      <${Button} quiet disabled=${!past.length} onClick=${draft.undo} aria-keyshortcuts="Control+Z">${text.undo}<//>
      <${Button} quiet disabled=${!future.length} onClick=${draft.redo} aria-keyshortcuts="Control+Y">${text.redo}<//>
      <${Button} quiet aria-pressed=${watching ? "true" : "false"} onClick=${() => setWatching(!watching)}>${text.counters(watching)}<//>
      <button type="button" class="icon-button" aria-label=${text.more} title=${text.moreHelp} onClick=${() => ask(MoreDialog, { label: text.more, draft })}><${Icon} name="more" /></button>
      <${Moves} draft=${draft} state=${state} status=${status} />
    </div>
  </header>`;
}

/** The next scheduled start of a launched campaign, and the last start that was skipped. */
function NextStart({ schedule }) {
  if (!schedule) return null;
  const [next] = schedule.nextStarts;
  const skipped = schedule.skipped[0];
  return html`${next && html`<span class="muted">${text.nextStart(html`<${Time} at=${next} plain />`)}</span>`}
    ${skipped && html`<span class="warning">${text.skippedStart(html`<${Time} at=${skipped.at} plain />`, reasonWord(skipped.reason))}</span>`}`;
}

/**
 * The buttons that the state allows.
 * @param {{draft: Draft, state: string, status: StatusLoad}} props
 */
function Moves({ draft, state, status }) {
  const errors = draft.problems.value.filter((each) => each.level === "error").length;
  const refresh = async () => {
    status.reload();
    draft.adopt(await get(`/v1/campaigns/${draft.uid}`));
  };
  const [publish, publishing, error] = useAction(async () => {
    await draft.saveAll();
    const version = await post(`/v1/campaigns/${draft.uid}/publish`);
    say(text.published(version.version));
    await refresh();
  });
  async function launch() {
    const started = await askLaunch(draft);
    if (started) say(text.launched);
    await refresh();
  }
  const isRunning = state === "RUNNING" || state === "SCHEDULED";
  const isPaused = PAUSED.includes(state);
  const next = draft.server.value.latestVersion + 1;
  const why = errors ? text.errorsFirst(errors) : undefined;
  return html`
    ${isRunning && html`<${Button} onClick=${() => askMove(draft, "pause", refresh)}>${text.pause}<//>`}
    ${isPaused && html`<${Button} primary onClick=${() => askMove(draft, "resume", refresh)}>${text.resume}<//>`}
    ${(isRunning || isPaused) && html`<${Button} danger onClick=${() => askMove(draft, "cancel", refresh)}>${text.cancel}<//>
      ${draft.server.value.draftChanged && html`<${Button} onClick=${publish} busy=${publishing} disabled=${errors > 0} title=${why}>${text.publish(next)}<//>`}`}
    ${!isRunning && !isPaused && html`<${Button} primary onClick=${launch} disabled=${errors > 0} title=${why}>${text.launch}<//>`}
    <${Problem} of=${error} />`;
}

/** @type {Record<string, (result: Api["ControlResponse"]) => string>} */
const DONE = { pause: (result) => text.paused(result.inFlight), resume: () => text.resumed, cancel: () => text.cancelled };

async function askMove(draft, name, refresh) {
  const result = await confirm({ ...text.moves[name], danger: name === "cancel", act: () => post(`/v1/campaigns/${draft.uid}/${name}`) });
  if (result) say(DONE[name](result));
  await refresh();
}

/** @param {{status: Api["CampaignStatusResponse"] | undefined, draft: Draft, reload: () => unknown}} props */
export function PauseBanner({ status, draft, reload }) {
  if (!status || !PAUSED.includes(status.state)) return null;
  const pause = pauseOfStatus(status);
  return html`<div class="notice ${isByOperator(pause) ? "" : "warn"} pause" role="status">
    <div class="grow"><${Pause} of=${pause} /></div>
    <${Button} onClick=${() => askMove(draft, "resume", async () => reload())}>${text.resume}<//>
  </div>`;
}

/** The parts of a campaign that are compared. */
const comparable = (/** @type {any} */ { name, description, trigger, audience, configuration, steps }) => ({ name, description, trigger, audience, configuration, steps });

/**
 * The choice between two drafts, when another user saved the draft first.
 * @param {{draft: Draft}} props
 */
export function Conflict({ draft }) {
  const theirs = draft.theirs.value;
  if (!theirs) return null;
  return html`<div class="notice warn" role="alert"><div class="grow">
      <p><b>${campaigns.conflict.title}</b>${campaigns.conflict.text(timeOfDay(theirs.updatedAt))}</p>
      <details class="raw"><summary>${campaigns.conflict.compare}</summary><${Differences} before=${comparable(theirs)} after=${comparable(draft.parts.value)} /></details></div>
    <${Button} onClick=${() => draft.resolve("theirs")}>${campaigns.conflict.theirs}<//>
    <${Button} primary onClick=${() => draft.resolve("mine")}>${campaigns.conflict.mine}<//>
  </div>`;
}

/** Return a key as keyboards name it: "Mod+c" → "Ctrl C". */
const keyWord = (pressed) => pressed.replace(/^Mod\+(.)$/, (_, letter) => campaigns.more.control(letter.toUpperCase())).replace("Alt+ArrowUp", "Alt ↑").replace("Alt+ArrowDown", "Alt ↓");

function MoreDialog({ draft, close }) {
  const words = campaigns.more;
  const server = draft.server.value;
  const send = useOnce();
  const [copy, copying, error] = useAction(async () => {
    await draft.saveAll();
    const parts = { ...draft.parts.value, availability: undefined };
    const created = await send("/v1/campaigns", { ...parts, name: words.copyName(parts.name).slice(0, MAX_NAME) });
    close();
    go("campaigns", created.uid);
  });
  async function erase() {
    close();
    const done = await confirm({
      ...words.deletion,
      label: words.deletion.label(server.name),
      danger: true,
      act: () => remove(`/v1/campaigns/${draft.uid}`),
    });
    if (done) go("campaigns");
  }
  const keys = STEP_KEYS.filter(([pressed]) => pressed !== "Backspace").map(([pressed, name]) => [keyWord(pressed), words.stepKeys[name]]);
  return html`<h2>${server.name}</h2>
    <div class="row"><${Button} busy=${copying} onClick=${copy}>${words.duplicate}<//><${Button} danger onClick=${erase}>${words.delete}<//></div>
    <${Problem} of=${error} />
    <h3>${words.keysTitle}</h3>
    <dl class="keys">${[...words.keys, ...keys].map(([pressed, action]) => html`<div><dt><kbd>${pressed}</kbd></dt><dd>${action}</dd></div>`)}</dl>
    <div class="dialog-foot"><${Button} primary onClick=${() => close()}>${common.done}<//></div>`;
}
