// Folding menus: the main one on a small screen, and those of language and account.

export function menus(page) {
  for (const button of page.querySelectorAll("[data-app-toggle]")) {
    const target = page.getElementById(button.getAttribute("aria-controls"));
    button.addEventListener("click", () => {
      const open = target.classList.toggle("app-nav--open");
      button.setAttribute("aria-expanded", String(open));
    });
  }
  const all = [...page.querySelectorAll("details[data-app-menu]")];
  page.addEventListener("click", (event) => {
    for (const menu of all) if (!menu.contains(event.target)) menu.open = false;
  });
  for (const menu of all) {
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
}
