// @ts-check
// The trigger of a campaign in a few words. It is not part of the form, so that the campaign list does not load the form.
import { campaigns } from "../lib/texts/en/campaigns.js";
import { moment } from "../lib/times.js";

const text = campaigns.trigger;

/** @param {any} trigger */
export function triggerWords(trigger) {
  switch (trigger?.type) {
    case "scheduled":
      if (!trigger.rrule) return text.once(moment(trigger.at));
      return text.repeated(text.repeats[trigger.rrule] ?? text.ownRule, moment(trigger.at));
    case "event":
      return text.event(trigger.event);
    case "api":
      return text.api;
    default:
      return text.manual;
  }
}
