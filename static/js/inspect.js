/* The record of an inspection on a phone in a basement: kept in the browser after every touch, sent when there is a
   connection, once however often it is sent (its key is made before). The page works as a plain form without this. */
(() => {
  "use strict";
  const form = document.querySelector("form[data-inspect]");
  const LOCAL = (() => { try { localStorage.setItem("inspect-test", "1"); localStorage.removeItem("inspect-test"); return window.indexedDB ? localStorage : null; } catch { return null; } })();
  if (!form || !LOCAL) return;

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const KEY = `inspect:${document.body.dataset.person || ""}:${location.pathname}`;
  const CACHE = "inspect-pages";
  const LONGEST_SIDE = 2000;
  const SMALL_ENOUGH = 1500000;
  const AGAIN_MS = 15000;
  const RANK = ["conforming", "basically", "nonconforming"];
  const CLOCK = "inspect-clock";
  const blocked = form.dataset.blocked || "";
  const line = document.getElementById("inspect-state");
  const box = document.getElementById("inspect-answer");
  const SAVED = "草稿已保存在本机";
  const WAITS = "没有网络，恢复后自动发送";

  const say = (text, tone = "") => {
    line.className = `inspect-state${tone ? ` is-${tone}` : ""}`;
    if (line.textContent !== text) line.textContent = text;
  };
  /* The portal's clock beside the phone's: told by a page that comes from the portal, remembered for one that was kept. */
  if (form.dataset.serverNow) {
    const ahead = Date.parse(form.dataset.serverNow) - Date.now();
    LOCAL.setItem(CLOCK, String(Math.abs(ahead) > 90000 ? ahead : 0));
  }
  const nowMs = () => Date.now() + Number(LOCAL.getItem(CLOCK) || 0);
  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
  const field = (name) => form.elements.namedItem(name);
  const value = (name) => { const one = field(name); return one ? String(one.value || "").trim() : ""; };

  /* --- the draft: what is typed, at once and whole */
  const kept = () => JSON.parse(LOCAL.getItem(KEY) || "null");
  const typed = () => [...form.elements].filter((one) => one.name && one.name !== "photos" && !one.matches("[type=hidden], [type=file], button"));
  const save = (state = "open") => {
    const values = typed().filter((one) => !one.matches("[type=radio], [type=checkbox]") || one.checked).map((one) => [one.name, one.value]);
    const draft = { client_key: field("client_key").value, state, at: Date.now(), values };
    try {
      LOCAL.setItem(KEY, JSON.stringify(draft));
    } catch {
      say("本机存储已满，草稿没有保存，请清理后再填", "bad");
      return false;
    }
    document.querySelector("[data-inspect-discard]").hidden = false;
    return true;
  };
  const restore = (draft) => {
    field("client_key").value = draft.client_key;
    typed().forEach((one) => {
      const own = draft.values.filter(([name]) => name === one.name).map(([, said]) => said);
      if (one.matches("[type=radio], [type=checkbox]")) one.checked = own.includes(one.value);
      else if (own.length) one.value = own[0];
    });
    document.querySelector("[data-inspect-discard]").hidden = false;
  };

  /* --- photos: beside the draft, in the browser's own database */
  const opened = new Promise((resolve, reject) => {
    const asked = indexedDB.open("inspections", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore("photos", { keyPath: "key" }).createIndex("draft", "draft");
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  const inStore = async (mode, act) => {
    const store = (await opened).transaction("photos", mode).objectStore("photos");
    return new Promise((resolve, reject) => {
      const asked = act(store);
      asked.onsuccess = () => resolve(asked.result);
      asked.onerror = () => reject(asked.error);
    });
  };
  const photosOf = async (draft) => (await inStore("readonly", (store) => store.index("draft").getAll(draft))).sort((a, b) => a.at - b.at);
  const put = (photo) => inStore("readwrite", (store) => store.put(photo));
  const drop = (key) => inStore("readwrite", (store) => store.delete(key));

  const drawn = (picture, longest) => {
    const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
  /* A large picture is made smaller; what the browser cannot draw goes as it is, and the server says. */
  const smaller = async (file) => {
    if (!file.type.startsWith("image/") || !window.createImageBitmap) return { blob: file, thumb: "" };
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      return { blob: file, thumb: "" };
    }
    const thumb = drawn(picture, 240).toDataURL("image/jpeg", 0.7);
    const fits = Math.max(picture.width, picture.height) <= LONGEST_SIDE && file.size <= SMALL_ENOUGH;
    if (fits && /^image\/(jpeg|png)$/.test(file.type)) return { blob: file, thumb };
    const blob = await new Promise((resolve) => { drawn(picture, LONGEST_SIDE).toBlob(resolve, "image/jpeg", 0.85); });
    return { blob: blob || file, thumb };
  };
  const listOf = (finding) => all("[data-shots]", form).find((one) => one.dataset.shots === finding) || all("[data-shots='']", form)[0];
  const note = (photo, text, bad = false) => {
    const item = document.getElementById(`shot-${photo.key}`);
    if (!item) return;
    const said = item.querySelector("p");
    said.textContent = text;
    said.classList.toggle("is-bad", bad);
  };
  const show = (photo) => {
    const list = listOf(photo.finding);
    const item = document.createElement("li");
    item.id = `shot-${photo.key}`;
    const picture = document.createElement(photo.thumb ? "img" : "span");
    if (photo.thumb) { picture.src = photo.thumb; picture.alt = photo.name; } else { picture.className = "shot-name"; picture.textContent = photo.name; }
    const said = document.createElement("p");
    said.textContent = photo.sent ? "已传到" : "在本机";
    const away = document.createElement("button");
    away.type = "button";
    away.className = "btn btn-sm btn-secondary";
    away.textContent = "移除";
    away.setAttribute("aria-label", `移除 ${photo.name}`);
    away.addEventListener("click", async () => { await drop(photo.key); item.remove(); list.hidden = !list.children.length; touched(); });
    item.append(picture, said, away);
    list.append(item);
    list.hidden = false;
  };
  form.addEventListener("change", async (event) => {
    const input = event.target;
    if (!input.matches("input[type=file]") || input.validationMessage) return;
    const files = [...input.files];
    const finding = input.name.replace(/^photo-/, "").replace(/^all$/, "");
    for (const file of files) {
      try {
        const { blob, thumb } = await smaller(file);
        const photo = { key: newKey(), draft: field("client_key").value, finding, name: file.name || "照片", at: nowMs(), type: blob.type, data: await blob.arrayBuffer(), thumb, sent: false };
        await put(photo);
        show(photo);
      } catch {
        say("照片没有存进本机，可能存储已满，请清理后再拍", "bad");
        return;
      }
    }
    input.value = "";
    input.dispatchEvent(new Event("change"));
    touched();
  });

  /* --- what is missing is said on the spot, while the subject is still there */
  const shown = (errors, title) => {
    all(".inspect-error", form).forEach((one) => one.remove());
    all("[data-inspect-bad]", form).forEach((one) => { one.classList.remove("has-error"); delete one.dataset.inspectBad; });
    box.hidden = !title;
    box.replaceChildren();
    if (!title) return;
    const panel = document.createElement("div");
    panel.className = "note note-bad";
    const inner = document.createElement("div");
    const head = document.createElement("p");
    head.className = "note-title";
    head.textContent = title;
    inner.append(head);
    const list = document.createElement("ul");
    errors.forEach((error) => {
      const found = field(error.field);
      const control = found && (found.tagName ? found : found[0]);
      const item = document.createElement("li");
      if (control && control.id && control.type !== "hidden") {
        const link = document.createElement("a");
        link.href = `#${control.id}`;
        link.textContent = error.detail;
        item.append(link);
        const row = control.closest(".field");
        if (row) {
          const text = document.createElement("p");
          text.className = "field-error inspect-error";
          text.textContent = error.detail;
          row.classList.add("has-error");
          row.dataset.inspectBad = "1";
          (row.querySelector("legend, .field-label") || row.firstElementChild).after(text);
        }
      } else item.textContent = error.detail;
      list.append(item);
    });
    if (errors.length) inner.append(list);
    panel.append(inner);
    box.append(panel);
    return inner;
  };
  const results = () => all("[data-finding]", form).map((row) => value(row.dataset.finding));
  const missing = () => {
    const faults = [];
    const need = (name, text) => { if (field(name) && !value(name)) faults.push({ field: name, detail: text }); };
    const onSite = !value("off_site") && !(field("off_site") && field("off_site").required);
    if (field("off_site") && field("off_site").required) need("off_site", "请选择非现场检查的方式。");
    need("place", "请填写检查地点；非现场检查填写所用的系统或资料。");
    need("began_at", "请填写开始时间。");
    need("ended_at", "请填写结束时间。");
    if (value("began_at") && value("ended_at") && value("ended_at") < value("began_at")) faults.push({ field: "ended_at", detail: "结束时间不能早于开始时间。" });
    need("first_officer", "请选择检查人员。");
    if (onSite) {
      need("second_officer", "现场检查须两人以上，请选择另一名检查人员。");
      if (value("second_officer") && value("second_officer") === value("first_officer")) faults.push({ field: "second_officer", detail: "两名检查人员须为不同的人。" });
      if (!field("showed_identity").checked) faults.push({ field: "showed_identity", detail: "现场检查须出示执法证件，请确认已出示。" });
      need("identity_numbers", "请填写两名检查人员的执法证号。");
    }
    all("[data-finding]", form).forEach((row) => {
      const name = row.dataset.finding;
      const said = value(name);
      if (!said) faults.push({ field: name, detail: `请核对：${row.querySelector("legend").firstChild.textContent.trim()}` });
      else if (said !== RANK[0] && !value(`${name}-words`)) faults.push({ field: `${name}-words`, detail: "不是“符合”的，请写明情况。" });
    });
    need("summary", "请填写检查情况。");
    need("result", "请选择检查结论。");
    if (onSite && value("signer") && !field("confirmed").checked) faults.push({ field: "confirmed", detail: "请由被检查对象确认签名；拒绝签名的，删去姓名并写明原因。" });
    if (onSite && !value("signer")) need("unsigned_reason", "请由被检查对象签名；未签名的，须写明原因。");
    return faults;
  };
  const count = () => {
    const said = results();
    const left = said.filter((one) => !one).length;
    document.querySelector("[data-inspect-left]").textContent = left ? ` · 还有 ${left} 项` : " · 已全部核对";
    if (left) return;
    const worst = RANK[Math.max(...said.map((one) => RANK.indexOf(one)))];
    all("input[name=result]", form).forEach((one) => { one.checked = one.value === worst; });
  };

  /* --- sending */
  class Lost extends Error {}
  class Refusal extends Error {
    constructor(message, { code = "", errors = [] } = {}) { super(message); this.code = code; this.errors = errors; }
  }
  const token = () => (document.cookie.match(/(?:^|; )csrftoken=([^;]+)/) || [])[1] || field("csrfmiddlewaretoken").value;
  const post = async (url, body) => {
    let answer;
    let said = null;
    try {
      answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": token() }, credentials: "same-origin" });
      if ((answer.headers.get("Content-Type") || "").includes("json")) said = await answer.json();
    } catch {
      throw new Lost(WAITS);
    }
    if (answer.status >= 500) throw new Lost("服务器暂时没有应答，稍后自动再发");
    if (!said && (answer.redirected || answer.status === 403)) throw new Refusal("登录已过期，请重新登录后再发送，草稿还在本机。", { code: "login" });
    if (!said && answer.status === 404) throw new Refusal("这件任务已不在您的办理范围内，草稿还在本机；请与处室管理员联系。");
    if (!said) throw new Refusal("没有发送成功，草稿还在本机，请稍后再试。");
    if (!answer.ok) throw new Refusal(said.detail, said);
    return said;
  };
  const upload = async (photo) => {
    note(photo, "正在传…");
    const body = new FormData();
    body.append("draft_key", photo.draft);
    body.append("client_key", photo.key);
    body.append("finding", photo.finding);
    body.append("taken_at", `${new Date(photo.at).toISOString().slice(0, 19)}+00:00`);
    body.append("file", new Blob([photo.data], { type: photo.type }), photo.name);
    try {
      await post(form.dataset.uploadUrl, body);
    } catch (problem) {
      // Sent already: the record itself will say whether it is the same one.
      if (problem.code === "inspection-sent") return;
      note(photo, problem instanceof Lost ? "在本机" : problem.message, !(problem instanceof Lost));
      throw problem;
    }
    await put({ ...photo, sent: true });
    note(photo, "已传到");
  };
  const forget = async (draft) => {
    LOCAL.removeItem(KEY);
    await Promise.all((await photosOf(draft)).map((photo) => drop(photo.key)));
    if (window.caches) await (await caches.open(CACHE)).delete(location.href);
  };
  let busy = false;
  let timer = 0;
  const later = () => { window.clearTimeout(timer); timer = window.setTimeout(trySend, AGAIN_MS); };
  const refused = (problem) => {
    save();
    const inner = shown(problem.errors || [], problem.message);
    if (problem.code === "login") {
      const link = document.createElement("a");
      link.href = `/login/?next=${encodeURIComponent(location.pathname)}`;
      link.textContent = "重新登录";
      inner.append(link);
    }
    say("没有发送，草稿已保存在本机", "bad");
    box.focus();
  };
  const trySend = async () => {
    const draft = kept();
    if (busy || blocked || !draft || draft.state !== "queued") return;
    window.clearTimeout(timer);
    busy = true;
    form.inert = true;
    say("正在发送…");
    try {
      const photos = await photosOf(draft.client_key);
      for (const photo of photos) if (!photo.sent) await upload(photo);
      const body = new FormData(form);
      all("input[type=file]", form).forEach((one) => body.delete(one.name));
      photos.forEach((photo) => body.append("photos", photo.key));
      const done = await post(location.pathname, body);
      await forget(draft.client_key);
      say("已发送", "good");
      location.assign(done.url);
    } catch (problem) {
      form.inert = false;
      if (problem instanceof Lost) { say(problem.message, "waiting"); later(); }
      else if (problem instanceof Refusal) refused(problem);
      else { save(); say("本机出了问题，没有发送，草稿已保存在本机", "bad"); throw problem; }
    } finally {
      busy = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy || blocked) return;
    const faults = missing();
    if (faults.length) {
      save();
      shown(faults, `还有 ${faults.length} 处需要填写或改正`);
      say(SAVED);
      box.focus();
      return;
    }
    shown([], "");
    if (save("queued")) trySend();
  });
  window.addEventListener("online", trySend);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) trySend(); });

  /* What is changed while it waits is not sent half-changed: it waits for the button again. */
  const touched = () => {
    if (busy || blocked) return;
    window.clearTimeout(timer);
    count();
    if (save()) say(SAVED);
  };
  form.addEventListener("input", (event) => { if (!event.target.matches("[type=file]")) touched(); });
  form.addEventListener("change", (event) => { if (!event.target.matches("[type=file]")) touched(); });
  all("[data-now]", form).forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => {
      const now = new Date(nowMs());
      field(button.dataset.now).value = new Date(now.getTime() - now.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
      touched();
    });
  });
  document.addEventListener("click", async (event) => {
    if (!event.target.closest("[data-discard]")) return;
    await forget(field("client_key").value);
    all("[data-shots] li", form).forEach((one) => one.remove());
    form.reset();
    field("client_key").value = newKey();
    document.querySelector("[data-inspect-discard]").hidden = true;
    shown([], "");
    count();
    say("草稿已删除");
  });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  /* --- the page itself, for the next time that there is no connection */
  const keepPage = async () => {
    if (!navigator.serviceWorker || !window.caches || !form.dataset.worker || blocked) return;
    await navigator.serviceWorker.register(form.dataset.worker, { scope: "/tasks/" });
    if (!navigator.onLine) return;
    const parts = all("link[rel=stylesheet], link[rel=icon], script[src], img[src]").map((one) => new URL(one.src || one.href)).filter((url) => url.origin === location.origin && url.pathname.startsWith("/static/"));
    const store = await caches.open(CACHE);
    await store.addAll(parts.map((url) => url.href));
    // As it is, but for the moment that it tells: later that would be a wrong one.
    const answer = await fetch(location.href);
    if (!answer.ok || answer.redirected) return;
    const headers = new Headers(answer.headers);
    ["Content-Encoding", "Content-Length"].forEach((name) => headers.delete(name));
    const text = (await answer.text()).replace(/ data-server-now="[^"]*"/, "");
    await store.put(location.href, new Response(text, { headers }));
  };

  const draft = kept();
  if (blocked && draft) form.hidden = false;
  if (draft) {
    restore(draft);
    photosOf(draft.client_key).then((found) => found.forEach(show));
    if (blocked) say("没有发送，草稿还在本机", "bad");
    else if (draft.state === "queued") { say(WAITS, "waiting"); trySend(); } else say(SAVED);
  }
  count();
  keepPage().catch(() => {});
})();
