// PLACEHOLDER
import { html } from "./vendor.js";
import { Page } from "./parts.js";
export function Screen() { return html`<${Page} name="Later"></>`; }
