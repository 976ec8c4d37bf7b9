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

// `act` is a promise's maker; until it has ended the button can't be pressed again. `about` is what a screen
// reader is told of it beside its text, where several buttons have the same.
export function button(text, about, act) {
  const made = element("button", { text });
  made.dataset.act = text;
  if (about) made.setAttribute("aria-label", `${text}: ${about}`);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      await act();
    } catch (error) {
      say(error);
    } finally {
      made.disabled = false;
    }
  });
  return made;
}

// What went wrong with something that was pressed stays until it is dismissed. An open dialog makes the rest
// of the page unreachable, so it is shown there then.
export function say(error) {
  const place = byId("trouble");
  (document.querySelector("dialog[open]") ?? byId("house")).prepend(place);
  place.querySelector("p").textContent = error instanceof TypeError ? "The server doesn't answer." : error.message;
  place.hidden = false;
}

export function thumbnail(path) {
  if (path === null) return element("span", { kind: "picture" });
  const shown = element("img", { kind: "picture", alt: "" });
  picture(path).then((url) => { shown.src = url; }, () => {});
  return shown;
}

// Lists are brought up to date item by item: pictures stay, and so does the keyboard's place.
export function fill(list, items, keyOf, show, empty) {
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const focused = document.activeElement?.dataset?.act ? document.activeElement : null;
  const place = focused && list.contains(focused) ? focused.closest("li").dataset.key : null;
  const now = items.map((item) => {
    const key = keyOf(item), said = JSON.stringify(item), old = before.get(key);
    if (old?.dataset.said === said) return old;
    const made = show(item);
    made.dataset.key = key;
    made.dataset.said = said;
    if (old?.querySelector("details")?.open) made.querySelector("details").open = true;
    return made;
  });
  if (now.length === 0 && empty) now.push(before.get("") ?? emptyItem(empty));
  if (now.length !== list.children.length || now.some((item, index) => list.children[index] !== item)) {
    list.replaceChildren(...now);
    if (place !== null) refocus(now.find((item) => item.dataset.key === place), focused.dataset.act);
  }
}

function refocus(item, act) {
  const buttons = [...(item?.querySelectorAll("button") ?? [])];
  (buttons.find((one) => one.dataset.act === act) ?? buttons[0])?.focus();
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
