// Elements of the page. Everything the server says is put in as text, never as markup.

import { picture } from "/dashboard/server.js";

export const byId = (id) => document.getElementById(id);

export function element(name, { text, kind, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Actions that have not ended, by their list, item and button: an item may be shown anew meanwhile.
const underWay = new Set();

// `act` is a promise's maker; until it has ended the button can't be pressed again, and keeps the keyboard.
// `about` is what a screen reader is told of it beside its text, where several buttons have the same.
export function button(text, about, act) {
  const made = element("button", { text });
  made.dataset.act = text;
  if (about) made.setAttribute("aria-label", `${text}: ${about}`);
  made.addEventListener("click", async () => {
    const action = actionOf(made);
    if (underWay.has(action)) return;
    underWay.add(action);
    mark(document);
    try {
      await act();
    } catch (error) {
      say(error);
    } finally {
      underWay.delete(action);
      mark(document);
    }
  });
  return made;
}

function actionOf(made) {
  const item = made.closest("li[data-key]");
  return item ? [item.parentElement?.id, item.dataset.key, made.dataset.act].join("\n") : made;
}

function mark(place) {
  for (const one of place.querySelectorAll("button[data-act]")) {
    const busy = String(underWay.has(actionOf(one)));
    if (one.getAttribute("aria-disabled") !== busy) one.setAttribute("aria-disabled", busy);
  }
}

// What went wrong with something that was pressed stays until it is dismissed. An open dialog makes the rest
// of the page unreachable, so it is shown there until that is closed.
export function say(error) {
  const place = byId("trouble"), dialog = document.querySelector("dialog[open]");
  (dialog ?? byId("house")).prepend(place);
  dialog?.addEventListener("close", () => byId("house").prepend(place), { once: true });
  place.querySelector("p").textContent = error instanceof TypeError ? "The server doesn't answer." : error.message;
  place.hidden = false;
}

export function thumbnail(path) {
  if (path === null) return element("span", { kind: "picture" });
  const shown = element("img", { kind: "picture", alt: "" });
  picture(path).then((url) => { shown.src = url; }, () => {});
  return shown;
}

// Lists are brought up to date item by item: what didn't change is left alone, and the keyboard keeps its
// place. An item that is being pressed is changed later.
export function fill(list, items, keyOf, show, empty) {
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const row = focused?.closest("li[data-key]"), place = [...list.children].indexOf(row);
  const today = new Date().toDateString(); // times of other days are told with the day
  const now = items.map((item) => {
    const key = keyOf(item), said = today + JSON.stringify(item), old = before.get(key);
    if (old && (old.dataset.said === said || old.matches(":active"))) return old;
    const made = show(item);
    made.dataset.key = key;
    made.dataset.said = said;
    if (old?.querySelector("details")?.open) made.querySelector("details").open = true;
    old?.replaceWith(made);
    return made;
  });
  if (now.length === 0 && empty) now.push(before.get("") ?? emptyItem(empty));
  arrange(list, now);
  mark(list);
  if (focused !== null && document.activeElement !== focused) {
    const same = now.find((item) => item.dataset.key === row?.dataset.key);
    refocus(same ?? now[Math.min(place, now.length - 1)], focused);
  }
}

function arrange(list, items) {
  for (const item of [...list.children]) if (!items.includes(item)) item.remove();
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
}

// The same button, or the item itself: who presses twice must not begin something else.
function refocus(item, focused) {
  if (item === undefined) return;
  const places = [...item.querySelectorAll("button, summary")];
  const same = places.find((one) => one.textContent === focused.textContent);
  if (same === undefined) item.tabIndex = -1;
  (same ?? item).focus({ preventScroll: true });
}

function emptyItem(text) {
  const made = element("li", { text, kind: "empty" });
  made.dataset.key = "";
  return made;
}

// Asks before something is done that can't be undone, or for a text. Gives true or false, or the text or null.
export function confirmed(title, told, yes) {
  return question(title, told, yes, null).then((answer) => answer !== null);
}

export function question(title, told, yes, value) {
  const dialog = byId("question"), input = dialog.querySelector("input"), main = dialog.querySelector(".main");
  byId("question-title").textContent = title;
  dialog.querySelector(".told").textContent = told;
  main.textContent = yes;
  Object.assign(input, { hidden: value === null, required: value !== null, value: value ?? "" });
  dialog.querySelector(".cancel").onclick = () => dialog.close("");
  dialog.returnValue = "";
  dialog.showModal();
  if (value !== null) input.select();
  return new Promise((answer) => {
    const ended = () => answer(dialog.returnValue ? input.value.trim() : null);
    dialog.addEventListener("close", ended, { once: true });
  });
}

// Bytes from memory into a file of this name.
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
