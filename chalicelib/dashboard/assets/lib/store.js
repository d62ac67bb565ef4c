// Browser storage that may be forbidden or full: reading gives nothing then, and writing says whether it worked.

function makeStore(area) {
  return {
    read(name) {
      try {
        return area().getItem(`carillon.${name}`);
      } catch {
        return null;
      }
    },
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

/** Ends with the tab. */
export const tabStore = makeStore(() => sessionStorage);
/** Stays on this machine. */
export const deviceStore = makeStore(() => localStorage);
