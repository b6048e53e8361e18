// A box that scrolls must be reachable by keyboard. The theme sees to code and outputs when the
// window changes its size; tables of the text and what unfolds later are seen to here.
const reachTables = () => {
  for (const box of document.querySelectorAll(".pst-scrollable-table-container")) {
    box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
  }
};
window.addEventListener("load", reachTables);
window.addEventListener("resize", reachTables);
document.addEventListener("toggle", () => window.dispatchEvent(new Event("resize")), true);

// The entries of the bibliography stand in a list but carry a role that ARIA has withdrawn.
document.addEventListener("DOMContentLoaded", () => {
  for (const entry of document.querySelectorAll(".citation-list > .citation")) {
    entry.setAttribute("role", "listitem");
  }
});
