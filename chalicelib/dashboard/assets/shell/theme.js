// A classic script that runs before the first paint; without a stored choice the system decides.
try {
  const chosen = localStorage.getItem("carillon.theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch {
  // Storage may be forbidden; then the system's theme is as good.
}
