// Solutions and answers that are folded on the screen are open on paper, and folded again after.
const opened = [];
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll(".bd-article details:not([open])")) {
    details.open = true;
    opened.push(details);
  }
});
window.addEventListener("afterprint", () => {
  for (const details of opened.splice(0)) {
    details.open = false;
  }
});
