/* The window's comforts: preview beside the list, arrows in the item search, counting ticks. Pages work without it. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const wide = window.matchMedia("(min-width: 1280px)");

  /* A row that is pointed at by click or focus is previewed at the right, where there is room. */
  let shown = "";
  const preview = (row) => {
    const url = row && row.dataset.preview;
    if (!url || url === shown || !wide.matches) return;
    shown = url;
    all("tr.is-selected").forEach((other) => other.classList.remove("is-selected"));
    row.classList.add("is-selected");
    window.htmx.ajax("GET", url, { target: "#preview", swap: "innerHTML" });
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("a, button")) preview(event.target.closest("tr[data-preview]"));
  });
  document.addEventListener("focusin", (event) => preview(event.target.closest("tr[data-preview]")));

  /* Item search: arrows walk through the answers, Enter opens the first one once the answers are those of the text. */
  const search = document.querySelector("[data-item-search]");
  if (search) {
    const field = search.querySelector("input[type=search]");
    const links = () => all("a[data-item]");
    document.addEventListener("keydown", (event) => {
      const at = links().indexOf(document.activeElement);
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step && (event.target === field || at >= 0)) {
        const next = at + step;
        if (next < 0) field.focus();
        else if (links()[next]) links()[next].focus();
        event.preventDefault();
      } else if (event.key === "Enter" && event.target === field && !event.isComposing) {
        const results = document.getElementById("results");
        if (field.value.trim() && results.dataset.q === field.value.trim() && links()[0]) {
          event.preventDefault();
          links()[0].click();
        }
      }
    });
  }

  /* Ticks: one key takes all required ones; the counts beside them follow. */
  const count = () => {
    const boxes = all("[data-tick]");
    const left = boxes.filter((box) => !box.checked).length;
    boxes.forEach((box) => {
      const badge = box.closest(".material").querySelector(".material-state .badge-state");
      badge.textContent = box.checked ? "已收" : "未收";
      badge.classList.toggle("tone-good", box.checked);
      if (box.checked) badge.classList.remove("tone-neutral", "tone-bad");
      else if (!badge.classList.contains("tone-bad")) badge.classList.add("tone-neutral");
    });
    const taken = document.querySelector("[data-taken]");
    if (taken) { taken.hidden = false; taken.querySelector("b").textContent = boxes.length - left; }
    const note = document.querySelector("[data-left]");
    if (note) note.textContent = left ? `还有 ${left} 项必要材料未收` : "必要材料已齐";
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-tick-all]")) return;
    all("[data-tick]").forEach((box) => { box.checked = true; });
    count();
  });
  document.addEventListener("change", (event) => { if (event.target.matches("[data-tick]")) count(); });

  const wake = () => {
    all("[data-tick-all]").forEach((button) => { button.hidden = false; });
    const chosen = all("tr[data-preview]").find((row) => row.dataset.preview === shown);
    if (chosen) chosen.classList.add("is-selected");
    count();
  };
  document.addEventListener("htmx:afterSettle", wake);
  wake();
  document.addEventListener("DOMContentLoaded", () => preview(document.querySelector("tr[data-preview]")));

  /* A page that nobody looks at does not ask; what the clerk typed meanwhile is never overwritten. */
  document.addEventListener("htmx:beforeRequest", (event) => {
    const asker = event.target;
    if (document.hidden && asker.matches("[data-poll]")) event.preventDefault();
    // A file over the limit stays where it is: portal.js says so beside it.
    if (asker.matches("input[type=file]") && [...asker.files].some((file) => file.size > Number(asker.dataset.limit))) event.preventDefault();
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const field = event.detail.target;
    if (field.matches("input") && field.value) event.preventDefault();
  });
})();
