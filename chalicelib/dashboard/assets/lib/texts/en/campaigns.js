// @ts-check
// Texts of the campaign list and of the pages of one campaign.

export const campaigns = {
  trigger: {
    manual: "Started by hand",
    api: "Started by API",
    event: (name) => `Event · ${name || "…"}`,
    once: (time) => `Once, ${time}`,
    repeated: (rule, time) => `${rule}, from ${time}`,
    ownRule: "Repeated",
    repeats: { "": "Once", "FREQ=DAILY": "Every day", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "On weekdays", "FREQ=WEEKLY": "Every week", "FREQ=MONTHLY": "Every month" }, // prettier-ignore
  },
};
