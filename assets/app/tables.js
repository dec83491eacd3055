// Tables that sort and filter, and the keys of the staff's pages: j and k go down and up, / goes to the filter.

export function tables(page) {
  const frames = [...page.querySelectorAll("[data-app-table]")];
  for (const frame of frames) {
    if (frame.dataset.sortText) makeSortable(frame);
    if (frame.dataset.filterLabel) makeFilterable(frame);
  }
  if (frames.length && page.body.classList.contains("app-dense")) listenToKeys(page, frames[0]);
}

const rowsOf = (frame) => [...frame.querySelectorAll("tbody > tr")];

function makeSortable(frame) {
  const status = announcer(frame);
  for (const header of frame.querySelectorAll("th[data-sortable]")) {
    const title = header.textContent.trim();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "app-table-sort";
    button.textContent = title;
    header.replaceChildren(button);
    header.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      sort(frame, header);
      status.textContent = frame.dataset.sortText.replace("%{column}", title);
    });
  }
}

function sort(frame, header) {
  const rising = header.getAttribute("aria-sort") !== "ascending";
  for (const other of frame.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = frame.querySelector("tbody");
  const language = document.documentElement.lang;
  const collator = new Intl.Collator(language, { numeric: true, sensitivity: "base" });
  const key = (row) => sortKey(row.cells[header.cellIndex]);
  const sorted = rowsOf(frame).sort((one, two) => collator.compare(key(one), key(two)));
  body.append(...(rising ? sorted : sorted.reverse()));
}

function sortKey(cell) {
  const given = cell.querySelector("[data-sort]");
  return given ? given.dataset.sort : cell.textContent.trim();
}

function makeFilterable(frame) {
  const id = `${frame.querySelector("table").id}-filter`;
  const tools = document.createElement("div");
  tools.className = "app-table-tools";
  const label = Object.assign(document.createElement("label"), { htmlFor: id, textContent: frame.dataset.filterLabel });
  const input = Object.assign(document.createElement("input"), { id, type: "search", className: "govuk-input" });
  const count = document.createElement("output");
  if (document.body.classList.contains("app-dense")) input.setAttribute("aria-keyshortcuts", "/");
  tools.append(label, input, count);
  frame.prepend(tools);
  input.addEventListener("input", () => {
    const shown = filter(frame, input.value);
    count.textContent = input.value ? frame.dataset.filterText.replace("%{count}", shown) : "";
  });
}

// Accents and case do not count: "helene" finds Hélène.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function filter(frame, wanted) {
  const words = plain(wanted).split(/\s+/);
  let shown = 0;
  for (const row of rowsOf(frame)) {
    const text = plain(row.textContent);
    row.hidden = !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  return shown;
}

function announcer(frame) {
  const status = document.createElement("p");
  status.className = "govuk-visually-hidden";
  status.setAttribute("role", "status");
  frame.append(status);
  return status;
}

function listenToKeys(page, frame) {
  page.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    if (event.key === "/") {
      const input = frame.querySelector("input[type=search]");
      if (input) event.preventDefault(), input.focus();
    } else if (event.key === "j" || event.key === "k") {
      move(frame, event.key === "j" ? 1 : -1);
    }
  });
}

function move(frame, step) {
  const links = rowsOf(frame).filter((row) => !row.hidden).map((row) => row.querySelector("a, button")).filter(Boolean);
  const here = links.findIndex((link) => link.closest("tr").contains(document.activeElement));
  links[Math.max(0, Math.min(links.length - 1, here + step))]?.focus();
}
