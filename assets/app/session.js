// Warns somebody signed in before their session ends, and lets them stay. Pages of one browser share the last click.
// Without scripts nothing is lost either: what is posted too late waits for the same person to sign in again.

const WARNING_MS = 3 * 60_000;
const MARGIN_MS = 60_000; // the server notes a click once a minute: it may count from an earlier one
const LOOK_EVERY_MS = 5_000;
const SEEN = "parvis.seen";

export function sessionWarning(page) {
  const dialog = page.querySelector("dialog[data-app-session]");
  if (!dialog || !dialog.showModal) return;
  const idle = Number(dialog.dataset.idle) * 1000 - MARGIN_MS;
  const lastEnd = Date.now() + Number(dialog.dataset.left) * 1000;
  const stay = dialog.querySelector("form[data-app-stay]");
  let waived = 0;
  let over = false;

  const end = () => Math.min(seenAt() + idle, lastEnd);
  const show = (state) => {
    for (const part of dialog.querySelectorAll("[data-app-when]")) part.hidden = part.dataset.appWhen !== state;
    if (!dialog.open) dialog.showModal();
  };
  const look = () => {
    const left = end() - Date.now();
    if (over || (waived === lastEnd && end() === lastEnd && left > 0)) return;
    if (left <= 0) {
      over = true;
      show("over");
    } else if (left <= WARNING_MS) {
      show(end() === lastEnd ? "last" : "idle");
    } else if (dialog.open) {
      dialog.close();
    }
  };
  const refresh = async () => {
    const answer = await fetch(stay.action, { method: "POST", body: new FormData(stay), redirect: "manual" });
    over = answer.status !== 204;
    if (over) return show("over");
    note();
    dialog.close();
  };

  stay.addEventListener("submit", (event) => {
    event.preventDefault();
    refresh().catch(() => dialog.close()); // no network: the next look asks again
  });
  // Escape, or the button that only closes.
  dialog.addEventListener("close", () => {
    if (end() === lastEnd) waived = lastEnd;
  });
  dialog.addEventListener("cancel", (event) => {
    if (over || end() === lastEnd) return;
    event.preventDefault();
    stay.requestSubmit();
  });
  note();
  setInterval(look, LOOK_EVERY_MS);
}

let ownSeen = 0;

function note() {
  ownSeen = Date.now();
  try {
    localStorage.setItem(SEEN, String(ownSeen));
  } catch {
    // A browser that stores nothing: each page counts for itself.
  }
}

function seenAt() {
  try {
    return Math.max(ownSeen, Number(localStorage.getItem(SEEN)) || 0);
  } catch {
    return ownSeen;
  }
}
