// Runs before the first paint. A file of its own, because the content security policy forbids inline scripts.
(() => {
  let choice = "system";
  try {
    choice = localStorage.getItem("mave.theme") || choice;
  } catch {
    // Storage may be blocked; use the system theme.
  }
  const dark = choice === "dark" || (choice === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
