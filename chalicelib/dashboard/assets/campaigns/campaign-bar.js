// The bar over a campaign: its name and state, undo and redo, and always in one place what can be done with it.
import { html } from "../vendor/preact.js";
import { get, post, remove } from "../lib/api.js";
import { useAction, useOnce } from "../lib/load.js";
import { go, to } from "../lib/router.js";
import { ERROR, MESSAGE, plural } from "../lib/texts/en/plural.js";
import { timeOfDay } from "../lib/times.js";
import { reasonWord } from "../lib/words.js";
import { ask, confirm } from "../components/dialog.js";
import { Differences } from "../components/differences.js";
import { Icon } from "../components/icons.js";
import { Button, Problem, say, Status, Time } from "../components/parts.js";
import { isByOperator, Pause, pauseOfStatus } from "../components/pause.js";
import { STEP_KEYS } from "./editor.js";
import { askLaunch } from "./launch-dialog.js";

const SAVING = { saved: "Saved", waiting: "Saving …", saving: "Saving …", failed: "Not saved", conflict: "Not saved: changed elsewhere" };
const PAUSED = ["PAUSED", "PAUSED_ERROR", "PAUSED_BALANCE"];

export function CampaignBar({ draft, status, watching, setWatching }) {
  const server = draft.server.value;
  const state = status.data?.state ?? server.state;
  const { past, future } = draft.history.value;
  return html`<header class="bar-top">
    <div class="bar-name">
      <a class="back" href=${to("campaigns")}>Campaigns</a>
      <h1 tabindex="-1" title=${draft.parts.value.name}>${draft.parts.value.name}</h1>
      <span class="bar-facts"><${Status} of=${state} />
        <span class="muted">${server.latestVersion ? `v${server.latestVersion}${server.draftChanged ? " · draft differs" : ""}` : "never published"}</span>
        <${NextStart} schedule=${status.data?.schedule} />
        <span class="muted save-state ${draft.state.value}" role="status">${SAVING[draft.state.value]}</span></span>
    </div>
    <div class="actions">
      <${Button} quiet disabled=${!past.length} onClick=${draft.undo} aria-keyshortcuts="Control+Z">Undo<//>
      <${Button} quiet disabled=${!future.length} onClick=${draft.redo} aria-keyshortcuts="Control+Y">Redo<//>
      <${Button} quiet aria-pressed=${watching ? "true" : "false"} onClick=${() => setWatching(!watching)}>Counters ${watching ? "on" : "off"}<//>
      <button type="button" class="icon-button" aria-label="More" title="Shortcuts, duplicate, delete" onClick=${() => ask(MoreDialog, { label: "More", draft })}><${Icon} name="more" /></button>
      <${Moves} draft=${draft} state=${state} status=${status} />
    </div>
  </header>`;
}

/** What the calendar does next with a launched campaign, and what it left out. */
function NextStart({ schedule }) {
  if (!schedule) return null;
  const [next] = schedule.nextStarts;
  const skipped = schedule.skipped[0];
  return html`${next && html`<span class="muted">next start <${Time} at=${next} plain /></span>`}
    ${skipped && html`<span class="warning">skipped <${Time} at=${skipped.at} plain />: ${reasonWord(skipped.reason)}</span>`}`;
}

/** The buttons that the state allows. */
function Moves({ draft, state, status }) {
  const errors = draft.problems.value.filter((each) => each.level === "error").length;
  const refresh = async () => {
    status.reload();
    draft.adopt(await get(`/v1/campaigns/${draft.uid}`));
  };
  const [publish, publishing, error] = useAction(async () => {
    await draft.saveAll();
    const version = await post(`/v1/campaigns/${draft.uid}/publish`);
    say(`Version ${version.version} is published`);
    await refresh();
  });
  async function launch() {
    const started = await askLaunch(draft);
    if (started) say("Launched");
    await refresh();
  }
  const isRunning = state === "RUNNING" || state === "SCHEDULED";
  const isPaused = PAUSED.includes(state);
  const next = draft.server.value.latestVersion + 1;
  const why = errors ? `${plural(errors, ERROR)} to mend first` : undefined;
  return html`
    ${isRunning && html`<${Button} onClick=${() => askMove(draft, "pause", refresh)}>Pause<//>`}
    ${isPaused && html`<${Button} primary onClick=${() => askMove(draft, "resume", refresh)}>Resume<//>`}
    ${(isRunning || isPaused) && html`<${Button} danger onClick=${() => askMove(draft, "cancel", refresh)}>Cancel …<//>
      ${draft.server.value.draftChanged && html`<${Button} onClick=${publish} busy=${publishing} disabled=${errors > 0} title=${why}>Publish v${next}<//>`}`}
    ${!isRunning && !isPaused && html`<${Button} primary onClick=${launch} disabled=${errors > 0} title=${why}>Launch …<//>`}
    <${Problem} of=${error} />`;
}

const MOVES = {
  pause: {
    label: "Pause this campaign?",
    text: "No new send starts after this; what is under way right now ends. Waiting contacts keep their place.",
    action: "Pause",
    done: (answer) => (answer.inFlight ? `Paused; ${plural(answer.inFlight, MESSAGE)} still under way` : "Paused"),
  },
  resume: { label: "Resume this campaign?", text: "Every contact goes on from where it was. Completed and failed ones are not run again.", action: "Resume", done: () => "Resumed" },
  cancel: {
    label: "Cancel the running flow?",
    text: "It cannot be taken up again. Contacts that have not finished are skipped.",
    action: "Cancel the flow",
    danger: true,
    done: () => "Cancelled",
  },
};

async function askMove(draft, name, refresh) {
  const { done, ...words } = MOVES[name];
  const answer = await confirm({ ...words, act: () => post(`/v1/campaigns/${draft.uid}/${name}`) });
  if (answer) say(done(answer));
  await refresh();
}

export function PauseBanner({ status, draft, reload }) {
  if (!status || !PAUSED.includes(status.state)) return null;
  const pause = pauseOfStatus(status);
  return html`<div class="notice ${isByOperator(pause) ? "" : "warn"} pause" role="status">
    <div class="grow"><${Pause} of=${pause} /></div>
    <${Button} onClick=${() => askMove(draft, "resume", async () => reload())}>Resume<//>
  </div>`;
}

const written = ({ name, description, trigger, audience, configuration, steps }) => ({ name, description, trigger, audience, configuration, steps });

/** Two people, one draft. */
export function Conflict({ draft }) {
  const theirs = draft.theirs.value;
  if (!theirs) return null;
  return html`<div class="notice warn" role="alert"><div class="grow">
      <p><b>Somebody else changed this draft</b> at ${timeOfDay(theirs.updatedAt)}, and you have changes of your own. Nothing is saved until you choose.</p>
      <details class="raw"><summary>From theirs to mine</summary><${Differences} before=${written(theirs)} after=${written(draft.parts.value)} /></details></div>
    <${Button} onClick=${() => draft.resolve("theirs")}>Take theirs<//>
    <${Button} primary onClick=${() => draft.resolve("mine")}>Keep mine<//>
  </div>`;
}

const OTHER_KEYS = [
  ["↑ ↓", "Step before, step after"],
  ["← →", "Lane beside"],
  ["+", "Insert after the step"],
  ["Enter", "Open the step"],
  ["Ctrl Z, Ctrl Y", "Undo, redo"],
];

/** "Mod+c" as it stands on the keys. */
const keyWord = (pressed) => pressed.replace(/^Mod\+(.)$/, (_, letter) => `Ctrl ${letter.toUpperCase()}`).replace("Alt+ArrowUp", "Alt ↑").replace("Alt+ArrowDown", "Alt ↓");

function MoreDialog({ draft, close }) {
  const server = draft.server.value;
  const send = useOnce();
  const [copy, copying, error] = useAction(async () => {
    await draft.saveAll();
    const { availability, ...parts } = draft.parts.value;
    const made = await send("/v1/campaigns", { ...parts, name: `${parts.name} (copy)`.slice(0, 200) });
    close();
    go("campaigns", made.uid);
  });
  async function erase() {
    close();
    const done = await confirm({
      label: `Delete “${server.name}”?`,
      text: "Its draft and its versions are gone then. Flows that have ended stay.",
      action: "Delete the campaign",
      danger: true,
      act: () => remove(`/v1/campaigns/${draft.uid}`),
    });
    if (done) go("campaigns");
  }
  const keys = STEP_KEYS.filter(([pressed]) => pressed !== "Backspace").map(([pressed, words]) => [keyWord(pressed), words]);
  return html`<h2>${server.name}</h2>
    <div class="row"><${Button} busy=${copying} onClick=${copy}>Duplicate the campaign<//><${Button} danger onClick=${erase}>Delete …<//></div>
    <${Problem} of=${error} />
    <h3>Keys on the timeline</h3>
    <dl class="keys">${[...OTHER_KEYS, ...keys].map(([pressed, words]) => html`<div><dt><kbd>${pressed}</kbd></dt><dd>${words}</dd></div>`)}</dl>
    <div class="dialog-foot"><${Button} primary onClick=${() => close()}>Done<//></div>`;
}
