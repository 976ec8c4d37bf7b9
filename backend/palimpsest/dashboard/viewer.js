// A finished job's pictures: beside the picture it was made from, to download, and with its recipe.

import { button, byId, element, save } from "/dashboard/elements.js";
import { ask, imagePath } from "/dashboard/server.js";
import { fileName, pictureOf, timesOf, titleOf } from "/dashboard/words.js";

const SMALL = ["thumbnail", "draft", "preview"]; // made for lists
let shown = null; // the job that is open

export function view(job) {
  shown = job;
  const dialog = byId("viewer"), names = picturesOf(job), choice = dialog.querySelector("select");
  byId("viewer-title").textContent = titleOf(job);
  choice.replaceChildren(...names.map((name) => element("option", { text: name, value: name })));
  choice.closest("label").hidden = names.length < 2;
  choice.onchange = () => stage(job, choice.value);
  dialog.querySelector("dl").replaceChildren(...factsOf(job).flatMap(
    ([name, value]) => [element("dt", { text: name }), element("dd", { text: value })]));
  dialog.querySelector(".actions").replaceChildren(...downloads(job, choice));
  dialog.querySelector(".close").onclick = () => dialog.close();
  stage(job, names[0]);
  dialog.showModal();
}

export function closeViewer() {
  shown = null;
  byId("viewer").close();
  for (const part of byId("viewer").querySelectorAll("h2, select, .stage, dl, .actions")) part.replaceChildren();
}

// The finished picture first.
function picturesOf(job) {
  const names = Object.keys(job.artifacts).filter((name) => !SMALL.includes(name.split(":")[0]));
  return names.sort((one, other) => other.startsWith("composite") - one.startsWith("composite"));
}

function factsOf(job) {
  const { model, seed } = job.request, { pixels_changed_outside: outside, grown } = job.result;
  return [
    ["Picture", pictureOf(job)],
    ["Showed", job.request.source_prompt],
    ["Should show", job.request.target_prompt],
    ["Times", timesOf(job).join(" · ")],
    ["Model", model],
    ["Seed", seed],
    ["Selection grown by", grown ? `${grown} pixels` : undefined],
    ["Pixels changed outside", outside],
  ].filter(([, value]) => value !== undefined && value !== "").map(([name, value]) => [name, String(value)]);
}

function downloads(job, choice) {
  const made = [];
  if (choice.options.length > 0) {
    made.push(button("Download the picture", "", async () => {
      const content = await (await ask(imagePath(job.artifacts[choice.value]))).blob();
      save(content, fileName(job, choice.value, "png"));
    }));
  }
  if (job.result.recipe !== undefined) made.push(button("Download the recipe", "", () => saveRecord(job)));
  return made;
}

// What the shell writes beside a result: palimpsest replay makes it again from this.
function saveRecord(job) {
  const files = Object.fromEntries(picturesOf(job).map((name) => [name, fileName(job, name, "png")]));
  const record = JSON.stringify({ ...job.result, artifacts: files }, null, 2);
  save(new Blob([`${record}\n`], { type: "application/json" }), fileName(job, "", "json"));
}

async function stage(job, name) {
  const place = byId("viewer").querySelector(".stage");
  place.replaceChildren();
  if (name === undefined) return;
  const overtaken = () => shown !== job || byId("viewer").querySelector("select").value !== name;
  try {
    const before = job.request.image ? await image(imagePath(job.request.image)).catch(() => null) : null;
    const after = await image(imagePath(job.artifacts[name]));
    if (overtaken()) return;
    after.alt = `${name} of: ${titleOf(job)}`;
    place.replaceChildren(...(sameSize(before, after) ? compared(before, after) : [after]));
  } catch (error) {
    if (overtaken()) return;
    place.replaceChildren(element("p", { text: `This picture can't be shown here. ${error.message}`, kind: "bad" }));
  }
}

// Pictures of this size are not kept in memory: the next look fetches them again.
async function image(path) {
  const made = new Image(), url = URL.createObjectURL(await (await ask(path)).blob());
  made.src = url;
  try {
    await made.decode();
  } finally {
    URL.revokeObjectURL(url);
  }
  return made;
}

const sameSize = (one, other) => one !== null
  && one.naturalWidth === other.naturalWidth && one.naturalHeight === other.naturalHeight;

// The picture before lies left of the line, the one after right of it. The slider covers both, so that it
// is moved anywhere on them, by mouse, finger and arrow keys.
function compared(before, after) {
  before.alt = "before";
  after.classList.add("after");
  const slider = element("input", { type: "range", min: 0, max: 100, value: 50, ariaLabel: "Before and after" });
  const pair = element("div", { kind: "compare" }, before, after, element("span", { kind: "edge" }), slider);
  const move = () => {
    pair.style.setProperty("--at", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} % before`);
  };
  slider.addEventListener("input", move);
  move();
  return [pair, element("p", { kind: "ends quiet" }, element("span", { text: "Before" }), element("span", { text: "After" }))];
}
