// The light switch remembers itself; the index opens pictures in place. Without this file the
// switch lasts for one page, and pictures open on pages of their own.
"use strict";

const light = document.getElementById("light");
try {
  light.checked = localStorage.getItem("light") === "yes";
  light.addEventListener("change", () => localStorage.setItem("light", light.checked ? "yes" : "no"));
} catch { /* no storage here: the switch still works */ }

document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("dialog.lightbox");
  if (!box || !box.showModal) {  // a picture's own page: the arrow keys turn it
    document.addEventListener("keydown", (event) => {
      const rel = { ArrowLeft: "prev", ArrowRight: "next" }[event.key];
      const link = rel && document.querySelector(`.turn a[rel=${rel}]`);
      if (link && !event.altKey && !event.ctrlKey && !event.metaKey) link.click();
    });
    return;
  }

  const works = [...document.querySelectorAll(".wall a.work")];
  const frame = box.querySelector(".frame");
  const name = box.querySelector("#lightbox-name");
  let at = 0;

  function show(index) {
    at = (index + works.length) % works.length;
    const picture = works[at].querySelector("picture").cloneNode(true);
    for (const part of picture.children) {
      part.sizes = "88vmin";
      part.removeAttribute("loading");
    }
    frame.replaceChildren(picture);
    name.textContent = works[at].querySelector(".name").textContent;
    name.href = works[at].href;
  }

  for (const [index, work] of works.entries()) {
    work.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      show(index);
      box.showModal();
    });
  }
  box.querySelector(".back").addEventListener("click", () => show(at - 1));
  box.querySelector(".on").addEventListener("click", () => show(at + 1));
  box.querySelector(".shut").addEventListener("click", () => box.close());
  box.addEventListener("close", () => {
    works[at].focus({ preventScroll: true });
    works[at].scrollIntoView({ block: "nearest" });
  });
  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.className === "stage") box.close();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") show(at - 1);
    if (event.key === "ArrowRight") show(at + 1);
  });
  let from = null;  // a finger on the picture
  box.addEventListener("pointerdown", (event) => { from = event.isPrimary ? event.clientX : null; });
  box.addEventListener("pointerup", (event) => {
    if (from === null || Math.abs(event.clientX - from) < 50) return;
    show(event.clientX < from ? at + 1 : at - 1);
    from = null;
  });
});
