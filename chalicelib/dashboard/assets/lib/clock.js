// The server's time: the clock of this machine may be wrong, and that of a local stack may run faster.

/** Less is the way of the answer, and the whole seconds of its header. */
const NOTHING_MS = 3_000;
let ahead = 0;

/** `date` is the Date header of an answer. */
export function noteDate(date) {
  const away = date ? new Date(date).getTime() - Date.now() : Number.NaN;
  if (!Number.isNaN(away)) ahead = Math.abs(away) < NOTHING_MS ? 0 : away;
}

export const serverNow = () => Date.now() + ahead;
