// @ts-check
// The server's time. The clock of this computer may be wrong, and the clock of a local stack may run faster.

/** Smaller differences come from the network and from the whole seconds of the header. */
const TOLERANCE_MS = 3_000;
let aheadMs = 0;

/**
 * Learn the server's time from the Date header of a response.
 * @param {string | null} date
 */
export function noteDate(date) {
  const away = date ? new Date(date).getTime() - Date.now() : Number.NaN;
  if (!Number.isNaN(away)) aheadMs = Math.abs(away) < TOLERANCE_MS ? 0 : away;
}

/** Return the server's time in ms since 1970. */
export const serverNow = () => Date.now() + aheadMs;
