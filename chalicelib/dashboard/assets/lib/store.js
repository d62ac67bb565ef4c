// @ts-check
// Browser storage, which may be forbidden or full: then reads return null and writes return false.

/** @param {() => Storage} area */
function makeStore(area) {
  return {
    /** @param {string} name */
    read(name) {
      try {
        return area().getItem(`carillon.${name}`);
      } catch {
        return null;
      }
    },
    /**
     * Store a value, or remove it with null. Return whether that worked.
     * @param {string} name
     * @param {string | null} value
     */
    write(name, value) {
      try {
        if (value === null) area().removeItem(`carillon.${name}`);
        else area().setItem(`carillon.${name}`, value);
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** Lasts until the tab is closed. */
export const tabStore = makeStore(() => sessionStorage);
/** Stays on this computer. */
export const deviceStore = makeStore(() => localStorage);
