// Fetches the app's card into its place on a record page.
(() => {
  const place = document.getElementById("billing");
  if (!place) return;

  async function show() {
    place.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(place.dataset.from);
      place.innerHTML = await answer.text();
    } catch {
      place.textContent = "The card could not be fetched.";
    }
    place.removeAttribute("aria-busy");
  }

  place.addEventListener("click", (event) => {
    if (event.target.closest("[data-again]")) show();
  });
  show();
})();
