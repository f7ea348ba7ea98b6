/* The redaction tool: places are drawn on the pages with mouse, pen, finger or keys. The number fields hold the truth; the
   page works with them alone. */
(() => {
  "use strict";
  const form = document.querySelector("[data-cover]");
  if (!form) return;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const SIDES = ["x", "y", "w", "h"];
  const LEAST = 0.5;
  const field = (row, side) => row.querySelector(`input[name="${side}"]`);
  const values = (row) => SIDES.map((side) => Number.parseFloat(field(row, side).value));
  const isEmpty = (row) => SIDES.every((side) => field(row, side).value.trim() === "");
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const write = (row, [x, y, w, h]) => {
    const width = clamp(w, LEAST, 100);
    const height = clamp(h, LEAST, 100);
    const box = [clamp(x, 0, 100 - width), clamp(y, 0, 100 - height), width, height];
    SIDES.forEach((side, place) => { field(row, side).value = box[place].toFixed(1); });
  };

  all("[data-cover-page]").forEach((page) => {
    const number = page.dataset.coverPage;
    const sheet = page.querySelector("[data-cover-sheet]");
    const numbers = page.querySelector("[data-cover-numbers]");
    const add = page.querySelector("[data-cover-add]");
    const boxes = new Map();
    const rows = () => all("[data-cover-row]", page);

    const place = (row) => {
      const [x, y, w, h] = values(row);
      const known = boxes.get(row);
      if (![x, y, w, h].every(Number.isFinite) || w <= 0 || h <= 0) {
        if (known) { known.remove(); boxes.delete(row); }
        return null;
      }
      const box = known || document.createElement(numbers ? "button" : "span");
      if (!known) {
        box.className = "cover-box";
        if (numbers) {
          box.type = "button";
          box.setAttribute("aria-label", `第 ${number} 页的遮盖，方向键移动，Shift 加方向键改大小，Delete 删除`);
          listen(box, row);
        }
        boxes.set(row, box);
        sheet.append(box);
      }
      Object.assign(box.style, { left: `${x}%`, top: `${y}%`, width: `${w}%`, height: `${h}%` });
      return box;
    };
    const remove = (row) => {
      SIDES.forEach((side) => { field(row, side).value = ""; });
      place(row);
    };
    const freeRow = () => {
      const free = rows().find(isEmpty);
      if (free) return free;
      const last = rows()[rows().length - 1];
      const made = last.cloneNode(true);
      SIDES.forEach((side) => { field(made, side).value = ""; });
      made.querySelector("legend").textContent = `第 ${number} 页，第 ${rows().length + 1} 块`;
      last.after(made);
      return made;
    };
    const at = (event) => {
      const area = sheet.getBoundingClientRect();
      return [((event.clientX - area.left) / area.width) * 100, ((event.clientY - area.top) / area.height) * 100];
    };
    const drag = (event, move, end = () => {}) => {
      event.preventDefault();
      const target = event.currentTarget;
      target.setPointerCapture(event.pointerId);
      const on = (moved) => move(at(moved));
      const off = () => {
        target.removeEventListener("pointermove", on);
        target.removeEventListener("pointerup", off);
        target.removeEventListener("pointercancel", off);
        end();
      };
      target.addEventListener("pointermove", on);
      target.addEventListener("pointerup", off);
      target.addEventListener("pointercancel", off);
    };

    function listen(box, row) {
      box.addEventListener("pointerdown", (event) => {
        event.stopPropagation();
        box.focus();
        const start = at(event);
        const before = values(row);
        const corner = box.getBoundingClientRect();
        const resizes = corner.right - event.clientX < 16 && corner.bottom - event.clientY < 16;
        drag(event, ([x, y]) => {
          const [dx, dy] = [x - start[0], y - start[1]];
          write(row, resizes ? [before[0], before[1], before[2] + dx, before[3] + dy] : [before[0] + dx, before[1] + dy, before[2], before[3]]);
          place(row);
        });
      });
      box.addEventListener("keydown", (event) => {
        const step = { ArrowLeft: [-0.5, 0], ArrowRight: [0.5, 0], ArrowUp: [0, -0.5], ArrowDown: [0, 0.5] }[event.key];
        if (step) {
          const [x, y, w, h] = values(row);
          write(row, event.shiftKey ? [x, y, w + step[0], h + step[1]] : [x + step[0], y + step[1], w, h]);
          place(row);
        } else if (event.key === "Delete" || event.key === "Backspace") {
          remove(row);
          if (add) add.focus();
        } else return;
        event.preventDefault();
      });
    }

    rows().forEach(place);
    if (!numbers) return;
    numbers.open = rows().some((row) => row.classList.contains("has-error"));
    numbers.addEventListener("input", (event) => {
      const row = event.target.closest("[data-cover-row]");
      if (row) place(row);
    });
    sheet.classList.add("is-drawable");
    /* A finger scrolls the page: on touch screens places come by the button and are then moved. */
    sheet.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      const [x, y] = at(event);
      const row = freeRow();
      drag(event, ([toX, toY]) => {
        write(row, [Math.min(x, toX), Math.min(y, toY), Math.abs(toX - x), Math.abs(toY - y)]);
        place(row);
      }, () => {
        const [, , w, h] = values(row);
        if (!(w > LEAST && h > LEAST)) remove(row);
        else if (boxes.get(row)) boxes.get(row).focus();
      });
    });
    add.hidden = false;
    add.addEventListener("click", () => {
      const row = freeRow();
      write(row, [30, 40, 40, 5]);
      const box = place(row);
      box.focus();
      box.scrollIntoView({ block: "nearest" });
    });
  });
  const more = document.querySelector("[data-cover-more]");
  if (more) more.hidden = true;
  const help = document.querySelector("[data-cover-help]");
  if (help) help.hidden = false;
})();
