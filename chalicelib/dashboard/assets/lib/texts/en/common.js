// @ts-check
// Texts of lib and of the components that the first view needs. All texts of the dashboard are in this folder.
//
// - There is one module per folder of screens, with one object of that name: `import { flows } from
//   "../lib/texts/en/flows.js"`, then `const text = flows.retry`. It has one object per component, in screen order.
// - Texts of lib and components beyond the first view are in components.js, so that the first view stays small.
// - A text with values is a function: `held: (amount) => `${plural(amount, CONTACT)} held``. Its caller formats money
//   and times (numbers.js, times.js). Counted nouns use `plural`, never `+ "s"`.
// - A text with a link or other markup inside is a function that returns a list of its pieces: `(link) => ["Nothing is
//   running. ", link, "."]`. The module draws the element; the words of the link are a text too.
// - Codes of the engine are not shown: reasons.js has a phrase for each.
// - Another language is a folder beside `en` with the same exports; the page's import map selects it.
import { CONTACT, plural } from "./plural.js";

export const common = {
  brand: "Carillon",
  none: "–",
  times: {
    inAMoment: "in a moment",
    justNow: "just now",
    immediately: "immediately",
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
  /** @type {Record<string, string>} Statuses of the API that need other words than their names. */
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
    timeout: "The server did not answer within 30 seconds. Try again.",
    unreachable: "The server cannot be reached. Check the connection and try again.",
    arrivedAlready: "The first request has arrived, but its response was lost. Look for its result before you send another request.",
    notAvailable: (what) => `${what} is not available on this server.`,
    this: "This",
    request: (id) => `Request ${id}`,
    tryAgain: "Try again",
  },
  loading: { now: "Loading", slow: "Still waiting for the server …" },
  page: { title: (name) => `${name || "…"} · Carillon`, unnamed: "…" },
  table: { actions: "Actions", more: "Show more" },
  /** @type {(parts: [number, string][], total: number) => string} */
  bar: (parts, total) => `${parts.map(([value, kind]) => `${value} ${kind}`).join(", ")} of ${total}`,
  raw: "Raw JSON",
  form: { optional: "(optional)", notFound: (value) => `${value} (not found)`, choose: "Choose …" },
  cancel: "Cancel",
  close: "Close",
  save: "Save",
  saved: "Saved",
  create: "Create",
  done: "Done",
  all: "All",
  version: (number) => `v${number}`,
  unpublishedChanges: "unpublished changes",
  neverPublished: "never published",
  /** Details that every record shows. */
  record: { title: "Record", id: "ID", created: "Created", changed: "Changed" },
  pause: {
    byOperator: "Paused",
    automatic: "Paused automatically",
    since: (time) => [" since ", time],
    held: (amount) => `${plural(amount, CONTACT)} held`,
    inFlight: (messages) => `, ${messages} still being sent`,
    unknownChannel: "a channel",
    channelCause: (channel, cause) => `${channel} accepts no messages (${cause})`,
    circuit: ({ channel, time, cause }) => ["the circuit of ", channel, ` opened at ${time} because ${cause}`],
    template: "a template",
    rejected: (template) => [template, " was rejected"],
    account: (detail) => `the provider’s account is not paid (${detail})`,
    later: (time) => `You can resume it ${time}. On resume one message is sent as a test.`,
    test: "On resume one message is sent as a test.",
    resume: "Resume it to continue.",
    available: (amount) => `${amount} is available. `,
    missing: (amount, missing) => `${amount} is available, and the remaining contacts need about ${missing} more. `,
    topUp: (link) => ["Paused campaigns stay paused after a top-up: ", link, ", then resume."],
    topUpLink: "top up",
  },
};
