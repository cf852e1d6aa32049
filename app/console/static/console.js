// Small help on top of pages that work without it: select and sum drafts, unfold lines, move by keyboard.

const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const KEYS = "dealwright.keys";

// A page kept by the browser shows old drafts and an old form key; take a fresh one.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// Minor units stay whole numbers until they are written.
function written(minor, decimals) {
  const digits = String(Math.abs(minor)).padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  return (minor < 0 ? "-" : "") + whole + (decimals ? "." + digits.slice(-decimals) : "");
}

function selection(form) {
  const boxes = all("[data-pick]", form);
  const every = one("[data-all]", form);
  const go = one("[data-go]", form);
  const sum = one("[data-sum]", form);
  const may = sum !== null;

  function tell() {
    const picked = boxes.filter((box) => box.checked);
    const sums = new Map();
    for (const box of picked) {
      const { currency, minor, decimals } = box.dataset;
      const before = sums.get(currency) ?? { minor: 0, decimals: Number(decimals) };
      sums.set(currency, { ...before, minor: before.minor + Number(minor) });
    }
    for (const box of boxes) box.closest("tr").classList.toggle("is-picked", box.checked);
    if (every) {
      every.checked = picked.length > 0 && picked.length === boxes.length;
      every.indeterminate = picked.length > 0 && picked.length < boxes.length;
    }
    if (!may) return;
    go.disabled = picked.length === 0;
    go.textContent = picked.length ? `Approve ${picked.length}` : "Approve selected";
    sum.textContent = picked.length
      ? [...sums].map(([currency, { minor, decimals }]) => `${written(minor, decimals)} ${currency}`).join(" and ")
      : "Nothing selected yet";
  }

  if (every && boxes.length) {
    every.hidden = false;
    every.addEventListener("change", () => {
      for (const box of boxes) box.checked = every.checked;
      tell();
    });
  }
  let last = null;
  for (const box of boxes) {
    // Shift-click selects the stretch since the last click.
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last) {
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
        for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
      }
      last = box;
      tell();
    });
  }
  tell();
}

function twists() {
  for (const button of all("[data-twist]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const isOpen = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(isOpen));
      document.getElementById(button.getAttribute("aria-controls")).classList.toggle("is-open", isOpen);
    });
  }
}

function move(step) {
  const rows = all("[data-row]");
  if (!rows.length) return one(step > 0 ? "[data-after]" : "[data-before]")?.click();
  const at = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
}

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  x: (row) => one("[data-pick]:not(:disabled)", row ?? document.createElement("i"))?.click(),
  e: (row) => row && one("[data-twist]", row)?.click(),
  o: (row) => row && one("[data-open]", row)?.click(),
  a: () => one("[data-go]:not(:disabled)")?.click(),
  "/": () => one("[data-find]")?.focus(),
};

function keys() {
  const hints = all("[data-keys]");
  let isOn = window.localStorage.getItem(KEYS) !== "off";
  const tell = () => {
    for (const hint of hints) {
      hint.hidden = false;
      hint.classList.toggle("is-off", !isOn);
      const toggle = one("[data-keys-toggle]", hint);
      toggle.textContent = isOn ? "Keys on" : "Keys off";
      toggle.setAttribute("aria-pressed", String(isOn));
    }
  };
  for (const toggle of all("[data-keys-toggle]")) {
    toggle.addEventListener("click", () => {
      isOn = !isOn;
      window.localStorage.setItem(KEYS, isOn ? "on" : "off");
      tell();
    });
  }
  tell();
  document.addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey) return;
    const row = document.activeElement?.closest?.("[data-row]");
    if (event.key === "Enter" && row && document.activeElement === row) return one("[data-open]", row)?.click();
    if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
    const act = ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    act(row);
  });
}

for (const form of all("[data-approve]")) selection(form);
twists();
keys();
