// The page on which a person chooses. Reads `state` once, then sends one act at a time and shows
// what the answer says; nothing is kept here but where one is, and that stands in the address.
"use strict";

const by = (id) => document.getElementById(id);
const desk = { table: by("table"), stage: by("stage"), sides: by("sides"), told: by("told"), help: by("help") };

let pictures = [];          // in the order of the prompts, the best-ranked first within each
let weights = {};
let live = { marks: {}, wall: [], undo: false, redo: false };
let current = null;         // id
let view = "grid";          // or "zoom", "pair"
let pair = [null, null], side = 0;
let waiting = 0;
const cards = new Map();    // id -> {picture, item, card, note, more}
const unfolded = new Set(); // ids that stand for a fold
const keys = new Map();     // from the table of the help: one table makes and explains them

// --- small things -----------------------------------------------------------------------------

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const mark = (id) => live.marks[id] ?? { state: "", rating: null };
const of = (id) => cards.get(id)?.picture;
const say = (text) => { by("status").textContent = text; };
const nth = (n) => n + (n >= 11 && n <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th");

function named(picture) {
  const { state, rating } = mark(picture.id);
  const parts = [picture.title, `candidate of rank ${picture.rank} of ${picture.of}`];
  if (state) parts.push(state);
  if (rating !== null) parts.push(`rated ${rating}`);
  if (live.wall.includes(picture.id)) parts.push("on the wall");
  return parts.join(", ");
}

// --- what is seen -----------------------------------------------------------------------------

function passes(picture) {
  const { state, rating } = mark(picture.id);
  const words = by("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const text = `${picture.prompt} ${picture.title} ${picture.id}`.toLowerCase();
  if (!words.every((word) => text.includes(word))) return false;
  switch (by("show").value) {
    case "bin": return state === "rejected";
    case "picked": return state === "picked";
    case "rated": return rating !== null && state !== "rejected";
    case "wall": return live.wall.includes(picture.id);
    case "open": return state !== "rejected" && !decided(picture.prompt);
    default: return state !== "rejected";
  }
}

const decided = (prompt) => pictures.some((p) => p.prompt === prompt && mark(p.id).state === "picked");

function seen() {
  return [...cards.values()].filter(({ item }) => !item.hidden).map(({ picture }) => picture.id);
}

function show() {
  const wall = new Set(live.wall);
  const heads = new Map();    // of folds, among those that pass
  const folded = new Map();
  const open = new Set(pictures.filter((p) => mark(p.id).state === "picked").map((p) => p.prompt));
  for (const picture of pictures) {
    const { item, card, note, more } = cards.get(picture.id);
    const { state, rating } = mark(picture.id);
    let hidden = !passes(picture);
    if (!hidden) {
      const head = heads.get(picture.like);
      if (head === undefined) heads.set(picture.like, picture.id);
      else {
        folded.set(head, (folded.get(head) ?? 0) + 1);
        hidden = !unfolded.has(head) && !state && rating === null;
      }
    }
    item.hidden = hidden;
    more.hidden = true;
    card.className = `card ${state}${wall.has(picture.id) ? " wall" : ""}`;
    note.textContent = state ? { picked: "Picked", rejected: "In the bin" }[state] : wall.has(picture.id) ? "On the wall" : "";
    if (rating !== null) {
      const dots = element("span", { "aria-hidden": "true" }, ` ${"●".repeat(rating)}${"○".repeat(5 - rating)}`);
      note.append(dots, element("span", { class: "hidden" }, `, rated ${rating}`));
    }
  }
  for (const [head, count] of folded) {
    const { more } = cards.get(head);
    more.hidden = false;
    more.textContent = unfolded.has(head) ? `Fold ${count} alike` : `+ ${count} alike`;
    more.setAttribute("aria-expanded", unfolded.has(head));
  }
  for (const group of desk.table.querySelectorAll(".subject")) {
    group.hidden = !group.querySelector("li:not([hidden])");
  }
  const prompts = new Set(pictures.map((p) => p.prompt)).size;
  const bin = Object.values(live.marks).filter((m) => m.state === "rejected").length;
  const s = (count) => (count === 1 ? "" : "s");
  by("progress").textContent = `${open.size} of ${prompts} prompt${s(prompts)} picked`
    + ` · ${pictures.length} candidate${s(pictures.length)}`
    + (bin ? ` · ${bin} in the bin` : "") + (waiting ? ` · ${waiting} not drawn yet` : "");
  by("nothing").hidden = seen().length > 0;
  for (const name of ["undo", "redo"]) {
    document.querySelector(`.dock [data-does=${name}]`).disabled = !live[name];
  }
}

// Puts the cursor on a picture, and everything that speaks of the current one in order.
function go(id, focus = true) {
  const before = cards.get(current);
  if (before) { before.card.tabIndex = -1; before.card.removeAttribute("aria-current"); }
  current = id;
  const after = cards.get(id);
  if (after) {
    after.card.tabIndex = 0;
    after.card.setAttribute("aria-current", "true");
    after.item.scrollIntoView({ block: "nearest" });
    if (focus && view === "grid") after.card.focus({ preventScroll: true });
  }
  describe();
  up_close();
  remember();
}

function describe() {
  const picture = of(current);
  by("name").textContent = picture ? picture.title : "";
  by("said").textContent = picture
    ? `${nth(picture.rank)} of ${picture.of}${picture.score === null ? "" : ` · ${picture.score.toFixed(2)}`} · number ${picture.id}` : "";
  const { state, rating } = mark(current);
  for (const button of document.querySelectorAll(".dock [data-does]")) {
    const { does, key } = button.dataset;
    const on = does === "rate" ? rating === Number(key) : { pick: "picked", reject: "rejected" }[does] === state && state !== "";
    if (["rate", "pick", "reject"].includes(does)) button.setAttribute("aria-pressed", Boolean(picture) && on);
    if (!["undo", "redo"].includes(does)) button.disabled = !picture;
  }
}

function up_close() {
  const close = view !== "grid";
  desk.stage.hidden = !close;
  document.body.className = view;
  desk.table.inert = close;
  if (!close) return;
  const ids = view === "pair" ? pair : [current];
  desk.sides.replaceChildren(...ids.map((id, k) => {
    const picture = of(id);
    const figure = element("figure", { class: view === "pair" && k === side ? "on" : "" },
      element("div", { class: `frame ${mark(id).state}` }, element("img", { src: `pictures/${id}`, alt: named(picture) })),
      element("figcaption", {}, view === "pair" ? `${nth(picture.rank)} of ${picture.of}` : `“${picture.prompt}”`));
    if (view === "pair") {
      figure.addEventListener("click", () => choose_side(k));
      if (picture.of > 2) {
        const other = element("button", { type: "button", "aria-label": `Another in the place of rank ${picture.rank}` }, "Another");
        other.addEventListener("click", (event) => { event.stopPropagation(); choose_side(k); exchange(1); });
        figure.lastChild.append(" ", other);
      }
    }
    return figure;
  }));
  desk.told.replaceChildren(...reasons(of(current)));
}

// The parts of the ranking: what each says, how much it counts.
function reasons(picture) {
  const names = Object.keys(picture.parts);
  if (!names.length) return [];
  const list = element("dl", { class: "why" });
  names.forEach((name, k) => {
    const bar = element("span", { class: "bar-of" }, element("span"));
    bar.firstChild.style.width = `${100 * picture.parts[name]}%`;
    list.append(element("div", {}, element("dt", {}, name), element("dd", {}, bar, ` ${picture.why[k]}`,
      element("span", { class: "small" }, ` · counts ${weights[name]}`))));
  });
  return [list];
}

// --- what is done -----------------------------------------------------------------------------

let sending = Promise.resolve();

function send(act) {
  sending = sending.then(async () => {
    const place = seen().indexOf(current);
    let answer;
    try {
      const reply = await fetch("acts", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(act) });
      answer = await reply.json();
    } catch {
      say("Rocketman has stopped. Nothing is lost: rocketman collection pick goes on.");
      return;
    }
    if (answer.error) { say(answer.error); return; }
    live = answer;
    show();
    const turned = answer.turned ?? { kind: act.do, picture: act.id, rating: act.rating };
    const word = { rate: `Rated ${turned.rating}`, pick: "Picked", reject: "Rejected", unset: "Unset" }[turned.kind];
    const taken = { undo: "Undone: ", redo: "Again: " }[act.do] ?? "";
    say(`${taken}${word}, number ${turned.picture}`);
    let next = answer.turned && cards.has(turned.picture) ? turned.picture : current;
    const ids = seen();
    if (view === "grid" && !ids.includes(next)) next = ids[Math.min(Math.max(place, 0), ids.length - 1)] ?? null;
    go(next);
  });
}

const act = (name, more = {}) => current !== null && send({ do: name, id: current, ...more });

function step(by_how_many) {
  const ids = seen();
  const at = ids.indexOf(current);
  go(ids[Math.min(Math.max(at + by_how_many, 0), ids.length - 1)] ?? current);
}

// To the nearest card of the row above or below, as the eye would go.
function climb(down) {
  const from = cards.get(current)?.item.getBoundingClientRect();
  if (!from) return;
  const boxes = seen().map((id) => ({ id, box: cards.get(id).item.getBoundingClientRect() }))
    .filter(({ box }) => down ? box.top > from.top + 8 : box.top < from.top - 8);
  const rows = boxes.map(({ box }) => box.top);
  const row = down ? Math.min(...rows) : Math.max(...rows);
  const near = boxes.filter(({ box }) => Math.abs(box.top - row) < 8)
    .sort((a, b) => Math.abs(a.box.left - from.left) - Math.abs(b.box.left - from.left));
  if (near.length) go(near[0].id);
}

// Another candidate of the same prompt takes this place of the pair.
function exchange(direction) {
  const ids = pictures.filter((p) => p.prompt === of(current).prompt).map((p) => p.id);
  const free = ids.filter((id) => id !== pair[1 - side]);
  const at = free.indexOf(current);
  pair[side] = free[(at + direction + free.length) % free.length];
  go(pair[side]);
}

function choose_side(which) { side = which; go(pair[which]); }

const actions = {
  rate: (key) => act("rate", { rating: Number(key) }),
  pick: () => act("pick"),
  reject: () => act("reject"),
  unset: () => act("unset"),
  undo: () => live.undo ? send({ do: "undo" }) : say("There is nothing to undo."),
  redo: () => live.redo ? send({ do: "redo" }) : say("There is nothing to redo."),
  left: () => view === "pair" ? choose_side(0) : step(-1),
  right: () => view === "pair" ? choose_side(1) : step(1),
  up: () => view === "pair" ? exchange(-1) : view === "zoom" ? step(-1) : climb(false),
  down: () => view === "pair" ? exchange(1) : view === "zoom" ? step(1) : climb(true),
  zoom: () => { if (current !== null) turn_to(view === "zoom" ? "grid" : "zoom"); },
  pair: () => {
    if (view === "pair") return turn_to("grid");
    const others = pictures.filter((p) => p.prompt === of(current)?.prompt && p.id !== current);
    if (!others.length) return say("There is no other candidate of this prompt.");
    const best = others.find((p) => mark(p.id).state !== "rejected") ?? others[0];
    pair = of(current).rank < best.rank ? [current, best.id] : [best.id, current];
    side = pair.indexOf(current);
    turn_to("pair");
  },
  unfold: () => {
    const head = seen().find((id) => of(id).like === of(current)?.like);
    if (head === undefined) return;
    unfolded.has(head) ? unfolded.delete(head) : unfolded.add(head);
    show();
    go(seen().includes(current) ? current : head);
  },
  next: () => {
    const ids = seen();
    const from = ids.indexOf(current);
    const open = ids.slice(from + 1).find((id) => of(id).prompt !== of(current)?.prompt && !decided(of(id).prompt));
    open === undefined ? say("Every prompt further on has its pick.") : go(open);
  },
  bin: () => { by("show").value = by("show").value === "bin" ? "all" : "bin"; sift(); },
  filter: () => { turn_to("grid"); by("filter").focus(); by("filter").select(); },
  everything: () => { by("filter").value = ""; by("show").value = "all"; sift(); },
  help: () => desk.help.open ? desk.help.close() : desk.help.showModal(),
  back: () => desk.help.open ? desk.help.close() : turn_to("grid"),
};

function turn_to(which) {
  view = which;
  go(seen().includes(current) || which !== "grid" ? current : seen()[0] ?? null);
  if (which !== "grid") desk.stage.focus({ preventScroll: true });
}

function sift() {
  show();
  const ids = seen();
  go(ids.includes(current) ? current : ids[0] ?? null, false);
}

// --- where one is, over a reload --------------------------------------------------------------

function remember() {
  const place = new URLSearchParams();
  if (current !== null) place.set("id", current);
  if (by("filter").value) place.set("q", by("filter").value);
  if (by("show").value !== "all") place.set("show", by("show").value);
  if (view !== "grid") place.set("view", view);
  if (view === "pair") place.set("pair", pair.join(" "));
  if (by("light").checked) place.set("light", "yes");
  if (unfolded.size) place.set("unfolded", [...unfolded].join(" "));
  history.replaceState(null, "", `#${place}`);
}

function recall() {
  const place = new URLSearchParams(location.hash.slice(1));
  const known = (text) => (text ?? "").split(" ").map(Number).filter((id) => cards.has(id));
  by("filter").value = place.get("q") ?? "";
  by("show").value = place.get("show") ?? "all";
  by("light").checked = place.get("light") === "yes";
  known(place.get("unfolded")).forEach((id) => unfolded.add(id));
  show();
  const [id] = known(place.get("id"));
  const both = known(place.get("pair"));
  if (place.get("view") === "zoom" && id) view = "zoom";
  if (place.get("view") === "pair" && both.length === 2 && both.includes(id)) {
    [view, pair, side] = ["pair", both, both.indexOf(id)];
  }
  go(id ?? seen()[0] ?? null);
  cards.get(current)?.item.scrollIntoView({ block: "center" });
}

// --- the beginning ----------------------------------------------------------------------------

function lay_out() {
  const groups = new Map();
  for (const picture of pictures) {
    if (!groups.has(picture.prompt)) {
      const list = element("ul", { class: "row" });
      const heading = element("h2", { dir: "auto" }, picture.title);
      const prompt = element("p", { class: "small", dir: "auto" }, picture.prompt);
      desk.table.append(element("section", { class: "subject" }, heading, prompt, list));
      groups.set(picture.prompt, list);
    }
    const note = element("span", { class: "note" });
    const card = element("button", { type: "button", class: "card", tabindex: "-1", "data-id": picture.id },
      element("span", { class: "frame" }, element("img", { src: `pictures/${picture.id}`, alt: "", loading: "lazy", width: 256, height: 256 })),
      element("span", { class: "under" },
        element("span", { class: "number" }, element("span", { class: "hidden" }, `${picture.title}, rank `), picture.rank), note));
    const more = element("button", { type: "button", class: "more", "aria-expanded": "false" });
    const item = element("li", {}, card, more);
    card.addEventListener("click", () => {
      if (current === picture.id) actions.zoom();
      else go(picture.id);
    });
    more.addEventListener("click", () => { go(picture.id); actions.unfold(); });
    cards.set(picture.id, { picture, item, card, note, more });
    groups.get(picture.prompt).append(item);
  }
}

async function load() {
  const state = await (await fetch("state")).json();
  if (state.error) { by("progress").textContent = state.error; return; }
  ({ pictures, weights, waiting } = state);
  live = state;
  cards.clear();
  desk.table.querySelectorAll(".subject").forEach((group) => group.remove());
  lay_out();
  recall();
  if (state.remarks.length) say(state.remarks.join(" "));
}

for (const row of document.querySelectorAll("[data-keys]")) {
  for (const key of row.dataset.keys.split(" ")) keys.set(key, row.dataset.does);
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const typing = event.target.matches("input[type=search], select");
  if (typing && event.key !== "Escape" && !(event.key === "Enter" && event.target.id === "filter")) return;
  if (typing) { event.preventDefault(); event.target.blur(); go(current); return; }
  let key = event.key === " " ? "Space" : event.key;
  if (/^[a-z]$/i.test(key)) key = (event.shiftKey ? "Shift+" : "") + key.toLowerCase();
  const does = keys.get(key);
  if (!does || (desk.help.open && !["help", "back"].includes(does))) return;
  if (key === "Space" && event.target.matches("button:not(.card), input")) return;  // presses it
  event.preventDefault();
  actions[does](key);
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-does]");
  if (button) actions[button.dataset.does](button.dataset.key);
});
by("filter").addEventListener("input", sift);
by("show").addEventListener("change", sift);
by("light").addEventListener("change", remember);
let from = null;  // a finger on the picture
desk.sides.addEventListener("pointerdown", (event) => { from = event.isPrimary ? event.clientX : null; });
desk.sides.addEventListener("pointerup", (event) => {
  if (from !== null && view === "zoom" && Math.abs(event.clientX - from) > 50) step(event.clientX < from ? 1 : -1);
  from = null;
});
// What a script or a run did in the meantime, when one comes back to the page.
document.addEventListener("visibilitychange", () => { if (!document.hidden) load(); });
load();
