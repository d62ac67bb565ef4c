// The menu behind "+": the node types that this server has, and what was copied.
import { html, useLayoutEffect, useRef } from "../vendor/preact.js";
import { names } from "../lib/names.js";
import { headline, typeName } from "../lib/outline.js";
import { components } from "../lib/texts/en/components.js";
import { Icon } from "../components/icons.js";

export function InsertMenu({ editor }) {
  const opened = editor.inserting.value;
  const menu = useRef(null);
  // At once, as for a card: the next key belongs to the menu.
  useLayoutEffect(() => {
    if (!opened) return;
    const popover = menu.current;
    popover.showPopover();
    put(popover, opened.button);
    popover.querySelector("button").focus();
  }, [opened]);
  function onToggle(event) {
    if (event.newState !== "closed") return;
    const { button } = editor.inserting.value ?? {};
    editor.inserting.value = null;
    if (event.currentTarget.contains(document.activeElement) || document.activeElement === document.body) button?.focus();
  }
  function choose(action) {
    const { slot } = opened;
    menu.current.hidePopover();
    action(slot);
  }
  const copied = opened && editor.clip();
  return html`<div class="insert-menu" popover="auto" role="menu" aria-label="Insert a step" ref=${menu} onToggle=${onToggle} onKeyDown=${onKeyDown}>
    ${copied && html`<button type="button" role="menuitem" onClick=${() => choose(editor.paste)}>
      <span class="glyph"><${Icon} name=${copied.type} /></span><span><b>Paste</b><small>${headline(copied, names.value)}</small></span></button>`}
    ${[...names.value.nodeTypes].map(([type, schema]) => html`<button type="button" role="menuitem" key=${type}
      onClick=${() => choose((slot) => editor.insertNew(type, slot))}>
      <span class="glyph ${type === "SEND" ? "is-send" : ""}"><${Icon} name=${type} /></span>
      <span><b>${typeName(type)}</b><small>${components.steps.descriptions[type] || schema.description}</small></span></button>`)}
  </div>`;
}

/** Below the button, as wide as a lane, so that the lane beside stays in sight; inside the window always. */
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
