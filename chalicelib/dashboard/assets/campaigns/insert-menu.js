// @ts-check
// The menu of "+": the step types of this server, and the copied step.
import { html, useLayoutEffect, useRef } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { headline, typeName } from "../lib/outline.js";
import { campaigns } from "../lib/texts/en/campaigns.js";
import { components } from "../lib/texts/en/components.js";
import { Icon } from "../components/icons.js";

const text = campaigns.timeline;

/** @param {{editor: import("./editor.js").Editor}} props */
export function InsertMenu({ editor }) {
  const opened = editor.inserting.value;
  const menu = useRef(/** @type {HTMLElement | null} */ (null));
  // A layout effect runs before the next key press, so the key reaches the menu.
  useLayoutEffect(() => {
    const popover = menu.current;
    if (!opened || !popover) return;
    popover.showPopover();
    put(popover, opened.button);
    popover.querySelector("button")?.focus();
  }, [opened]);
  function onToggle(event) {
    if (event.newState !== "closed") return;
    const { button } = editor.inserting.value ?? {};
    editor.inserting.value = null;
    if (event.currentTarget.contains(document.activeElement) || document.activeElement === document.body) button?.focus();
  }
  function choose(action) {
    if (!opened) return;
    const { slot } = opened;
    menu.current?.hidePopover();
    action(slot);
  }
  const copied = opened && editor.clip();
  return html`<div class="insert-menu" popover="auto" role="menu" aria-label=${text.insert} ref=${menu} onToggle=${onToggle} onKeyDown=${onKeyDown}>
    ${copied && html`<button type="button" role="menuitem" onClick=${() => choose(editor.paste)}>
      <span class="glyph"><${Icon} name=${copied.type} /></span><span><b>${text.paste}</b><small>${headline(copied, names.value)}</small></span></button>`}
    ${[...names.value.nodeTypes].map(([type, schema]) => html`<button type="button" role="menuitem" key=${type}
      onClick=${() => choose((slot) => editor.insertNew(type, slot))}>
      <span class="glyph ${type === "SEND" ? "is-send" : ""}"><${Icon} name=${type} /></span>
      <span><b>${typeName(type)}</b><small>${components.steps.descriptions[type] || schema.description}</small></span></button>`)}
  </div>`;
}

/** Place the menu below the button and inside the window. It is as wide as a lane, so that the next lane stays visible. */
function put(popover, button) {
  const at = button.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const left = Math.max(8, Math.min(innerWidth - width - 8, at.left + at.width / 2 - width / 2));
  const below = at.bottom + 6;
  const top = below + height < innerHeight - 8 ? below : Math.max(8, at.top - height - 6);
  Object.assign(popover.style, { left: `${left}px`, top: `${top}px` });
}

function onKeyDown(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll("button")];
  items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
}
