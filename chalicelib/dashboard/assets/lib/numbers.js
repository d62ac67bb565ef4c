// @ts-check
// Numbers, shares and money in the reader's locale.

/** Shown where there is no number. */
const NONE = "–";
const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** @param {number | null | undefined} value */
export const count = (value) => whole.format(value ?? 0);
/** @param {number} value */
export const compact = (value) => (value < 10_000 ? whole.format(value) : short.format(value));

/**
 * "36%".
 * @param {number | null | undefined} rate of 1
 */
export function percent(rate, digits = 0) {
  if (rate === null || rate === undefined || Number.isNaN(rate)) return NONE;
  return `${(rate * 100).toFixed(digits)}%`;
}

/**
 * @param {number} part
 * @param {number} of
 */
export function share(part, of) {
  return of ? percent(part / of, part && part / of < 0.01 ? 1 : 0) : NONE;
}

/**
 * @param {string | number | null | undefined} amount
 * @param {string | null | undefined} currency ISO 4217
 */
export function money(amount, currency) {
  if (amount === null || amount === undefined) return NONE;
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency: currency || "EUR", maximumFractionDigits: 6 }).format(Number(amount));
  } catch {
    return `${amount} ${currency}`;
  }
}
