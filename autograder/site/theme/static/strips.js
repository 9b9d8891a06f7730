// Strips of pictures: the controls choose which one is shown.
document.addEventListener("DOMContentLoaded", () => {
  for (const strip of document.querySelectorAll(".attention-strip")) {
    const bar = strip.querySelector(".attention-strip-controls");
    if (!bar) continue;
    const controls = [...bar.querySelectorAll("input, select")];
    const pictures = [...strip.querySelectorAll(".attention-strip-picture")];
    const show = () => {
      const at = controls.map((one) => (one.tagName === "SELECT" ? one.selectedIndex : Number(one.value))).join(",");
      for (const picture of pictures) picture.hidden = picture.dataset.at !== at;
    };
    for (const control of controls) {
      control.addEventListener("input", () => {
        if (control.dataset.shown) {
          const shown = control.dataset.shown.split(",")[Number(control.value)];
          control.parentElement.querySelector("output").textContent = shown;
          control.setAttribute("aria-valuetext", shown);
        }
        show();
      });
    }
    bar.hidden = false;
  }
});
