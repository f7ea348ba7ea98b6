/* Adds up a score sheet while it is filled in. The server's sum is the one that counts; without scripts nothing is missing. */
(() => {
  "use strict";
  const add = (grid) => {
    const box = grid.querySelector("[data-score-total]");
    if (!box) return;
    const chosen = [...grid.querySelectorAll("input[data-points]:checked")];
    const sum = chosen.reduce((total, input) => total + Number(input.dataset.points), 0);
    const left = grid.querySelectorAll("fieldset:has(input[data-points])").length - chosen.length;
    const line = grid.querySelector("[data-pass-mark]");
    box.querySelector("[data-score-value]").textContent = String(sum);
    box.hidden = chosen.length === 0;
    line.classList.toggle("is-enough", left === 0 && sum >= Number(line.dataset.passMark));
    line.classList.toggle("is-short", left === 0 && sum < Number(line.dataset.passMark));
  };
  document.querySelectorAll("[data-score-grid]").forEach(add);
  document.addEventListener("change", (event) => {
    const grid = event.target.closest("[data-score-grid]");
    if (grid) add(grid);
  });
})();
