// Texts of lib and of the components that the first view needs. All texts of the dashboard live in this folder.
//
// - One module per folder of screens, each with one object of the folder's name: `import { flows as text } from
//   "../lib/texts/en/flows.js"`, then `text.retry.title`. Inside, one object per component or dialog, in screen order.
// - Texts of lib and components beyond the first view go to components.js, so that the first view stays small.
// - A text with values is a function of them: `held: (amount) => `${plural(amount, CONTACT)} held``. Numbers, money and
//   times arrive as the module formats them (numbers.js, times.js); counted nouns go through `plural`, never `+ "s"`.
// - A text with a link or other markup inside is a function that returns a list of its pieces: `(link) => ["Nothing is
//   running. ", link, "."]`. The module draws the element, and the words of the link are a text of their own.
// - Codes of the engine are never shown raw: reasons.js has a sentence for each.
// - Another language is a folder beside `en` with the same exports; the page's import map chooses it.
import { plural } from "./plural.js";

export const common = {
  brand: "Carillon",
  none: "–",
  times: {
    inAMoment: "in a moment",
    justNow: "just now",
    atOnce: "at once",
    milliseconds: (amount) => `${amount} ms`,
    units: {
      day: (amount) => plural(amount, { one: "day", other: "days" }),
      hour: (amount) => plural(amount, { one: "hour", other: "hours" }),
      minute: (amount) => plural(amount, { one: "minute", other: "minutes" }),
      second: (amount) => plural(amount, { one: "second", other: "seconds" }),
    },
    shortUnits: {
      day: (amount) => `${amount} d`,
      hour: (amount) => `${amount} h`,
      minute: (amount) => `${amount} min`,
      second: (amount) => `${amount} s`,
    },
  },
  /** Status words of the API that do not read well with a capital letter alone. */
  statuses: {
    paused_error: "Paused by error",
    paused_balance: "Paused: balance",
    completed_partial: "Partially completed",
    partial_completed: "Partially completed",
  },
  errors: {
    status: (status) => `The server answered with status ${status}`,
    tooManyRequests: "Too many requests. Try again in a moment.",
    serverError: (status) => `The server has a problem (status ${status}). Try again in a moment.`,
    timeout: "The server did not answer within 30 seconds",
    unreachable: "The server cannot be reached",
    arrivedAlready: "The first request has arrived; only its answer was lost. Look for its result before you send another one.",
    notAvailable: (what) => `${what} is not available on this server.`,
    this: "This",
    request: (id) => `Request ${id}`,
    tryAgain: "Try again",
  },
  loading: { now: "Loading", slow: "Still waiting for the server …" },
  page: { title: (name) => `${name || "…"} · Carillon`, unnamed: "…" },
  table: { actions: "Actions", more: "Show more" },
  bar: (parts, total) => `${parts.map(([value, kind]) => `${value} ${kind}`).join(", ")} of ${total}`,
  raw: "Raw JSON",
  form: { optional: "(optional)", notFound: (value) => `${value} (not found)`, choose: "Choose …" },
  cancel: "Cancel",
};
