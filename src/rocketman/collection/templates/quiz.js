// One pair at a time: guess by click, tap or the arrow keys, see the answer, go on. Without this
// file all pairs stand below each other with their answers folded away.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const list = document.querySelector(".pairs");
  const all = [...list.querySelectorAll(".pair")];
  const said = [];  // per pair: "left" or "right"
  let at = 0;

  const answer = (pair) => pair.querySelector("details").dataset.generated;
  const found = () => said.filter((side, k) => side === answer(all[k])).length;

  const score = Object.assign(document.createElement("p"), { className: "score" });
  score.setAttribute("role", "status");
  const onward = Object.assign(document.createElement("button"), { type: "button", className: "download onward" });
  list.before(score);
  list.after(onward);
  document.body.classList.add("playing");

  for (const pair of all) {
    for (const figure of pair.querySelectorAll("figure")) {
      const side = figure.className;
      const button = Object.assign(document.createElement("button"), { type: "button", className: "frame guess" });
      const image = figure.querySelector("img");
      button.append(image);
      button.setAttribute("aria-label", `${image.alt}. It is the generated one.`);
      figure.replaceChildren(button, document.createElement("figcaption"));
      button.addEventListener("click", () => guess(side));
    }
  }

  // The chance to find this many or more by tossing a coin: a tail of the binomial distribution.
  function luck(count, of) {
    let ways = 1, tail = 0;
    for (let k = 0; k <= of; k++) {
      if (k >= count) tail += ways;
      ways = ways * (of - k) / (k + 1);
    }
    return tail / 2 ** of;
  }

  function show() {
    all.forEach((pair, k) => { pair.hidden = k !== at; });
    onward.hidden = said[at] === undefined;
    onward.textContent = at + 1 < all.length ? "Next pair" : "Your score";
    score.textContent = said.length ? `${found()} of ${said.length} found` : "Guess by a tap, or with ← and →";
  }

  function guess(side) {
    const pair = all[at];
    if (said[at] !== undefined) return;
    said[at] = side;
    for (const figure of pair.querySelectorAll("figure")) {
      const own = figure.className === answer(pair);
      const mine = figure.className === side;
      figure.querySelector("figcaption").textContent =
        (own ? "Generated" : "Rendered") + (mine ? own ? ": you found it" : ": you took this one" : "");
      figure.classList.add(own ? "made" : "rendered");
      figure.querySelector("button").disabled = true;
    }
    pair.querySelector("details").open = true;
    show();
    score.textContent = `${side === answer(pair) ? "Yes" : "No"}: the ${answer(pair)} one is generated. ${score.textContent}.`;
    onward.focus({ preventScroll: true });
  }

  function end() {
    const count = found();
    const chance = luck(count, all.length);
    const told = chance > 0.99 ? "more than 99" : chance < 0.01 ? "less than 1" : Math.round(100 * chance);
    score.textContent = `You found ${count} of ${all.length}. Whoever tosses a coin finds as many, or more, in ${told} of 100 tries`
      + (chance < 0.05 ? ": you can tell." : ": that is no proof that one can tell.");
    all.forEach((pair) => { pair.hidden = false; });
    document.body.classList.add("ended");
    onward.textContent = "Once more";
    onward.hidden = false;
    score.scrollIntoView({ block: "center" });
  }

  onward.addEventListener("click", () => {
    if (document.body.classList.contains("ended")) return location.reload();
    at += 1;
    document.body.classList.add("started");  // by now the question is known
    if (at === all.length) return end();
    show();
    all[at].querySelector("button").focus({ preventScroll: true });
    all[at].scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("keydown", (event) => {
    const side = { ArrowLeft: "left", ArrowRight: "right" }[event.key];
    if (!side || event.altKey || event.ctrlKey || event.metaKey || at === all.length) return;
    event.preventDefault();
    guess(side);
  });
  show();
});
