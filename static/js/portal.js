/* Small comforts on top of pages that work without them. No library, no inline handlers, nothing stored beyond the tab. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const shown = (element) => element.getClientRects().length > 0 && !element.disabled;

  const say = (text, tone = "bad") => {
    const line = document.getElementById("toast");
    if (!line) return;
    const note = document.createElement("div");
    note.className = `note note-${tone}`;
    note.textContent = text;
    line.replaceChildren(note);
    window.setTimeout(() => note.remove(), 9000);
  };

  /* Alt-keys: <button data-hotkey="s"> is pressed, a field is focused. The key is also told to screen readers. */
  const announceKeys = (root) => all("[data-hotkey]", root).forEach((element) => {
    element.setAttribute("aria-keyshortcuts", `Alt+${element.dataset.hotkey.toUpperCase()}`);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const key = event.code.replace(/^(Key|Digit)/, "").toLowerCase();
    const target = all(`[data-hotkey="${CSS.escape(key)}"]`).find(shown);
    if (!target) return;
    event.preventDefault();
    target.focus();
    if (target.matches("input, textarea, select")) { if (target.select) target.select(); } else target.click();
  });

  /* Enter in such a form (a scanner sends one, too) goes on to the next field and never submits; on a button it presses it. */
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key !== "Enter" || event.isComposing || !field.matches("input, select")) return;
    const form = field.form;
    if (!form || !form.hasAttribute("data-no-enter-submit") || field.matches("[type=submit], [type=button]")) return;
    event.preventDefault();
    field.dispatchEvent(new Event("change", { bubbles: true }));
    const stops = [...form.elements].filter((one) => one.type !== "hidden" && one.type !== "fieldset" && one.tabIndex >= 0 && shown(one));
    const next = stops[stops.indexOf(field) + 1];
    if (next) next.focus();
  });

  /* A QR code holds an address: a field with data-scan="code" keeps only that parameter (or the last part of the path). */
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!field.dataset || field.dataset.scan === undefined || !/^https?:\/\//i.test(field.value.trim())) return;
    try {
      const address = new URL(field.value.trim());
      field.value = address.searchParams.get(field.dataset.scan) || address.pathname.split("/").filter(Boolean).pop() || "";
    } catch (problem) {
      if (!(problem instanceof TypeError)) throw problem;
    }
  }, true);

  /* Confirm panels: Escape, a click outside and 再看看 close them; opening one moves into it. */
  document.addEventListener("toggle", (event) => {
    const panel = event.target;
    if (!panel.matches || !panel.matches("details[data-confirm]") || !panel.open) return;
    all("details[data-confirm][open]").forEach((other) => { if (other !== panel) other.open = false; });
    const verb = panel.querySelector(".confirm-verbs [type=submit]");
    if (verb) verb.focus({ preventScroll: true });
  }, true);
  const closePanel = (panel) => { panel.open = false; panel.querySelector("summary").focus(); };
  document.addEventListener("keydown", (event) => {
    const panel = event.key === "Escape" && document.querySelector("details[data-confirm][open]");
    if (panel) closePanel(panel);
  });
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-confirm-close]");
    if (close) { closePanel(close.closest("details")); return; }
    all("details[data-confirm][open]").forEach((panel) => { if (!panel.contains(event.target)) panel.open = false; });
    if (event.target.closest("[data-print]")) window.print();
    const fill = event.target.closest("[data-fill]");
    if (fill) {
      const form = document.querySelector(fill.dataset.fill);
      Object.entries(fill.dataset).forEach(([name, value]) => {
        const field = name.startsWith("fill") && name !== "fill" && form.elements[name.slice(4).toLowerCase()];
        if (field) field.value = value;
      });
      form.querySelector("[type=submit]").focus();
    }
  });

  /* One press is enough: the second is swallowed and the button says that it works. */
  const rest = (form) => {
    delete form.dataset.busy;
    all("[aria-busy=true]", document).forEach((button) => { button.removeAttribute("aria-busy"); });
  };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.busy) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    form.dataset.busy = "1";
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
    send(form);
  });
  /* A sent form with a one-time key (data-once names its field) is spent: who comes back to it gets a fresh page. */
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    if (document.querySelector("form[data-once][data-busy]")) location.reload();
    else all("form[data-busy]").forEach(rest);
  });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.target.closest) { const form = event.target.closest("form"); if (form) rest(form); } });

  /* Unsaved work: a form with data-keep="name" is kept in this tab until the server has accepted it or the person signs out.
     Files, passwords and fields marked data-private (identity numbers, phones) are never kept. */
  const PREFIX = "kept:";
  const person = document.body.dataset.person || "";
  const keyOf = (form) => `${PREFIX}${person}:${new URL(form.getAttribute("action") || "", location).pathname}:${form.dataset.keep}`;
  const onceOf = (form) => (form.dataset.once ? form.elements[form.dataset.once].value : "");
  const kept = () => Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX));
  const draftOf = (key) => JSON.parse(sessionStorage.getItem(key));
  const store = (key, draft) => sessionStorage.setItem(key, JSON.stringify(draft));
  const keepable = (form) => [...form.elements].filter((one) => one.name && !one.matches("[type=hidden], [type=file], [type=password], [data-private], button"));
  const keep = (form, state = "open") => {
    const values = keepable(form).filter((one) => !one.matches("[type=radio], [type=checkbox]") || one.checked).map((one) => [one.name, one.value]);
    store(keyOf(form), { state, page: location.pathname, once: onceOf(form), values });
    form.dataset.dirty = "1";
  };
  const send = (form) => {
    if (form.dataset.keep === undefined) return;
    keep(form, "sent");
    delete form.dataset.dirty;
  };
  const failed = (form) => Boolean(form.querySelector("[aria-invalid=true], [role=alert], .field-error"));
  /* A sent draft is forgotten only when the page that answers it shows that the server took it; on the login page, an error
     page or a form that came back with errors, after a broken connection or for somebody else, it stays: "back". */
  const settle = () => {
    const way = performance.getEntriesByType("navigation")[0] || {};
    const from = document.referrer && new URL(document.referrer).origin === location.origin ? new URL(document.referrer).pathname : "";
    const well = person && !document.querySelector("[data-problem]") && !(way.responseStatus >= 400) && way.type !== "back_forward";
    const answered = [];
    kept().forEach((key) => {
      const draft = draftOf(key);
      if (draft.state !== "sent") return;
      const answer = well && from === draft.page && key.startsWith(`${PREFIX}${person}:`);
      const again = all("form[data-keep]").find((form) => keyOf(form) === key);
      const open = again && (failed(again) || (draft.once && onceOf(again) === draft.once));
      if (answer && !open) sessionStorage.removeItem(key);
      else store(key, { ...draft, state: "back" });
      if (answer && open) answered.push(key);
    });
    return answered;
  };
  const restore = (form, answered = []) => {
    const key = keyOf(form);
    const draft = draftOf(key);
    if (!draft || answered.includes(key) || failed(form)) return;
    // Another one-time key is another application: only what was sent and came back is the same one.
    if (draft.once !== onceOf(form) && draft.state !== "back") { sessionStorage.removeItem(key); return; }
    const changed = keepable(form).filter((one) => {
      const own = draft.values.filter(([name]) => name === one.name).map(([, value]) => value);
      const before = one.matches("[type=radio], [type=checkbox]") ? one.checked : one.value;
      if (one.matches("[type=radio], [type=checkbox]")) one.checked = own.includes(one.value);
      else if (own.length) one.value = own[0];
      return before !== (one.matches("[type=radio], [type=checkbox]") ? one.checked : one.value);
    });
    keep(form);
    if (!changed.length) return;
    changed.filter((one) => one.checked).forEach((one) => one.dispatchEvent(new Event("change", { bubbles: true })));
    say("已恢复您上次未提交的内容，证件号码、电话和文件请重新填写。", "info");
  };
  document.addEventListener("input", (event) => { const form = event.target.form; if (form && form.dataset.keep !== undefined) keep(form); });
  window.addEventListener("beforeunload", (event) => { if (document.querySelector("form[data-keep][data-dirty]")) event.preventDefault(); });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-sign-out]")) return;
    kept().forEach((key) => sessionStorage.removeItem(key));
    all("form[data-dirty]").forEach((form) => { delete form.dataset.dirty; });
    if (window.caches) caches.delete("inspect-pages"); // inspect.js
  });

  /* A chosen file: its size is checked before it travels. */
  document.addEventListener("change", (event) => {
    const input = event.target;
    if (!input.matches("input[type=file]")) return;
    const note = input.parentElement.querySelector("[data-upload-note]");
    const limit = Number(input.dataset.limit || 20971520);
    const mb = (bytes) => (bytes / 1048576).toFixed(1);
    const heavy = [...input.files].find((file) => file.size > limit);
    input.setCustomValidity(heavy ? `文件 ${mb(heavy.size)} MB，超过 ${mb(limit)} MB，请压缩或分次上传` : "");
    if (!note) return;
    note.hidden = input.files.length === 0;
    note.classList.toggle("is-bad", Boolean(heavy));
    note.textContent = heavy ? input.validationMessage : [...input.files].map((file) => `${file.name}（${mb(file.size)} MB）`).join("、");
  });

  /* htmx: what did not arrive is said in words; nothing typed is lost. */
  document.addEventListener("htmx:sendError", () => say("没有连上服务器，您填写的内容还在。请检查网络后再试。"));
  document.addEventListener("htmx:timeout", () => say("服务器没有及时回应，您填写的内容还在。请稍后再试。"));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 403 || status === 401) say("登录已过期，请另开页面登录后再试。");
    else if (status === 404) say("这一件已不在您的查看范围内，请刷新列表。");
    else if (status === 429) say("操作过于频繁，请等候一分钟后再试。");
    else say("这一步没有完成，操作没有生效，请稍后重试。");
  });

  const wake = (root) => {
    announceKeys(root);
    all("[data-confirm-close], [data-print], [data-fill]", root).forEach((element) => { element.hidden = false; });
    if (root !== document) all("form[data-keep]", root).forEach((form) => restore(form));
    const first = root.querySelector("[data-focus]");
    if (first) first.focus();
    const place = document.querySelector(".rail a[aria-current]");
    if (place && root === document) place.scrollIntoView({ block: "nearest", inline: "center" });
  };
  document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) wake(event.target); });
  wake(document);
  // After htmx is ready, so that what a restored choice asks for is asked.
  document.addEventListener("DOMContentLoaded", () => {
    const answered = settle();
    all("form[data-keep]").forEach((form) => restore(form, answered));
  });
})();
