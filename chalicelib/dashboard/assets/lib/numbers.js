// Numbers, shares and money in the reader's own locale.

const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

export const count = (value) => whole.format(value ?? 0);
export const compact = (value) => (value < 10_000 ? whole.format(value) : short.format(value));

export function percent(rate, digits = 0) {
  if (rate === null || rate === undefined || Number.isNaN(rate)) return "–";
  return `${(rate * 100).toFixed(digits)}%`;
}

export function share(part, of) {
  return of ? percent(part / of, part && part / of < 0.01 ? 1 : 0) : "–";
}

export function money(amount, currency) {
  if (amount === null || amount === undefined) return "–";
  try {
    const style = { style: "currency", currency: currency || "EUR", maximumFractionDigits: 6 };
    return new Intl.NumberFormat(undefined, style).format(Number(amount));
  } catch {
    return `${amount} ${currency}`;
  }
}
