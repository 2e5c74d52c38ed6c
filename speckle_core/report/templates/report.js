"use strict";
// Show the patterns of a cell of the confusion matrix when it is clicked.
const shown = document.getElementById("cell");
let pressed = null;
for (const button of document.querySelectorAll("button[data-cell]")) {
  button.addEventListener("click", () => {
    const patterns = document.getElementById(button.dataset.cell);
    shown.replaceChildren(patterns.content.cloneNode(true));
    if (pressed) pressed.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", "true");
    pressed = button;
  });
}
