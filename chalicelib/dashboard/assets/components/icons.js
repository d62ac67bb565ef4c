// @ts-check
// Small icons, drawn with one stroke in the colour of the text.
import { html } from "../vendor/preact.js";

const PATHS = {
  SEND: "M2.5 4.5h11v7h-11z M2.5 4.8 8 9l5.5-4.2",
  WAIT: "M8 2.5a5.5 5.5 0 1 0 0 11a5.5 5.5 0 0 0 0-11z M8 5v3.2l2 1.3",
  CONDITION: "M8 2.8 13.2 8 8 13.2 2.8 8z",
  AB_TEST: "M8 2.5v3 M8 5.5C8 8 4 7.5 4 10.5v3 M8 5.5c0 2.500 4 2 4 5v3",
  TAG: "M2.800 3.300v4.200l6 6 4.500-4.500-6-6H3.300z M5.400 5.700h.01",
  END: "M4.500 4.500h7v7h-7z",
  trigger: "M9 2 4 9h3.500L7 14l5-7H8.500z",
  audience: "M6 8a2.300 2.300 0 1 0 0-4.600A2.300 2.300 0 0 0 6 8z M2 13c.3-2.400 1.900-3.600 4-3.600s3.700 1.200 4 3.600 M10.500 7.700a2 2 0 1 0-.6-3.900 M11.400 9.600c1.500.300 2.400 1.500 2.600 3.400",
  plus: "M8 3.500v9 M3.500 8h9",
  more: "M3.500 8h.01 M8 8h.01 M12.500 8h.01",
  close: "M4 4l8 8 M12 4l-8 8",
  theme: "M8 2.500a5.500 5.500 0 1 0 0 11z M8 2.500a5.500 5.500 0 0 1 0 11",
  menu: "M2.500 4.500h11 M2.500 8h11 M2.500 11.500h11",
  warn: "M8 4.500v4 M8 11h.01",
  step: "M3.500 3.500h9v9h-9z",
};

/** @param {{name: string | undefined}} props an icon or a step type */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name ?? ""] || PATHS.step} /></svg>`;
}
