// The admissions office's pages: keys that click what is on the page, zoom without a reload, and a sign that a file is
// still open. Every key stands for a link or a button that works without it, and the keys can be turned off.

const SIGN_EVERY = 120_000;
const OFF = "parvis-keys-off";

export function admissions(page) {
  const help = page.querySelector("[data-app-keys]");
  if (help) listen(page, help);
  const open = page.querySelector("[data-app-presence]");
  if (open) setInterval(() => sign(page, open.dataset.appPresence), SIGN_EVERY);
}

function listen(page, help) {
  const toggle = Object.assign(document.createElement("button"), { type: "button", className: "app-tool" });
  const show = () => (toggle.textContent = areOff() ? help.dataset.on : help.dataset.off);
  toggle.addEventListener("click", () => (areOff() ? forget() : keep(), show()));
  help.append(toggle);
  show();
  page.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    if (areOff()) return;
    if (act(page, event.key)) event.preventDefault();
  });
}

function act(page, key) {
  if (key === "+" || key === "-" || key === "0") return zoom(page, key);
  if (key === "x") return tick();
  const focused = page.querySelector(`[data-key-focus="${CSS.escape(key)}"]`);
  if (focused) return enter(focused);
  const found = page.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!found || found.closest("[hidden]")) return false;
  if (found.matches("input")) found.focus();
  else found.click();
  return true;
}

function enter(form) {
  form.scrollIntoView({ block: "nearest" });
  form.querySelector("select, textarea, input:not([type=hidden])")?.focus();
  return true;
}

function tick() {
  const box = document.activeElement?.closest("tr")?.querySelector("[data-key-row=x]");
  if (box) box.checked = !box.checked;
  return Boolean(box);
}

function zoom(page, key) {
  const viewer = page.querySelector("[data-app-viewer]");
  const links = [...page.querySelectorAll("[data-zoom]")];
  if (!viewer || !links.length) return false;
  const here = links.findIndex((link) => link.hasAttribute("aria-current"));
  const wanted = key === "0" ? 0 : Math.max(0, Math.min(links.length - 1, here + (key === "+" ? 1 : -1)));
  for (const link of links) {
    viewer.classList.remove(`app-viewer--${link.dataset.zoom}`);
    link.removeAttribute("aria-current");
  }
  viewer.classList.add(`app-viewer--${links[wanted].dataset.zoom}`);
  links[wanted].setAttribute("aria-current", "true");
  return true;
}

function sign(page, address) {
  const token = page.querySelector("input[name=csrf_token]");
  if (document.visibilityState !== "visible" || !token) return;
  const body = new URLSearchParams({ csrf_token: token.value });
  fetch(address, { method: "POST", body, keepalive: true }).catch(() => {});
}

// A private window may refuse to remember: the keys then stay on.
function areOff() {
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
}

function keep() {
  try {
    localStorage.setItem(OFF, "1");
  } catch {}
}

function forget() {
  try {
    localStorage.removeItem(OFF);
  } catch {}
}
