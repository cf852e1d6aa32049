// Moves deals between stages: by dragging, by arrow keys, and through each card's own menu, which works without this.
(() => {
  const board = document.getElementById("board");
  const said = document.getElementById("said");
  let lifted = null;

  const columns = () => [...board.querySelectorAll(".column")];
  const card = (id) => board.querySelector(`[data-deal="${CSS.escape(id)}"]`);

  async function refresh() {
    const answer = await fetch(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const left = board.scrollLeft;
    board.replaceChildren(...page.getElementById("board").children);
    board.scrollLeft = left;
  }

  async function move(id, column) {
    const name = card(id).querySelector("h3").textContent;
    column.querySelector(".cards").prepend(card(id));
    const answer = await fetch(board.dataset.move.replace("/0/", `/${id}/`), {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams({ stage: column.dataset.stage }),
    });
    await refresh();
    card(id)?.focus();
    said.textContent = answer.ok ? `${name} is in ${column.dataset.label}.` : `${name} could not be moved.`;
  }

  board.addEventListener("dragstart", (event) => {
    lifted = event.target.closest(".deal");
    if (!lifted) return;
    lifted.classList.add("lifted");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", lifted.dataset.deal);
  });
  board.addEventListener("dragend", () => {
    lifted?.classList.remove("lifted");
    lifted = null;
    columns().forEach((column) => column.classList.remove("over"));
  });
  board.addEventListener("dragover", (event) => {
    const column = event.target.closest(".column");
    if (!lifted || !column) return;
    event.preventDefault();
    columns().forEach((other) => other.classList.toggle("over", other === column));
  });
  board.addEventListener("drop", (event) => {
    const column = event.target.closest(".column");
    if (!lifted || !column) return;
    event.preventDefault();
    column.classList.remove("over");
    if (lifted.closest(".column") !== column) move(lifted.dataset.deal, column);
  });

  board.addEventListener("keydown", (event) => {
    const deal = event.target;
    if (!deal.classList?.contains("deal")) return;
    if (event.key === "Enter") {
      deal.querySelector("h3 a").click();
      return;
    }
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = columns();
    const target = all[all.indexOf(deal.closest(".column")) + step];
    if (target) move(deal.dataset.deal, target);
  });

  // A menu of a card closes when one clicks elsewhere or presses Escape.
  const closeMenus = (except) =>
    board.querySelectorAll(".menu[open]").forEach((menu) => menu !== except && menu.removeAttribute("open"));
  document.addEventListener("click", (event) => closeMenus(event.target.closest?.(".menu")));
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeMenus(null));
})();
