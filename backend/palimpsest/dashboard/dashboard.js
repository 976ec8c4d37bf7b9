// The page that GET / shows: devices, one's own jobs, concepts, models. No framework, no build step.
// Everything the server says is put in as text, never as markup.

const KEY = "palimpsest-token";
const SECONDS = 1;
const SLOWLY = 15; // seconds between looks at concepts and models
const ENDED = ["finished", "failed", "cancelled"];
const byId = (id) => document.getElementById(id);

class Refused extends Error {
  constructor(status, told) {
    super(`${told.message ?? "The server refused."} ${told.hint ?? ""}`.trim());
    this.status = status;
  }
}

async function ask(path, method = "GET") {
  const token = sessionStorage.getItem(KEY);
  const answer = await fetch(path, { method, headers: { Authorization: `Bearer ${token}` }, cache: "no-cache" });
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

const askJson = async (path, method) => (await ask(path, method)).json();

// Elements.

function element(name, { text, kind, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Lists are brought up to date item by item, so that focus and pictures stay where they are.
function fill(list, items, keyOf, show, empty) {
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const now = items.map((item) => {
    const key = keyOf(item), said = JSON.stringify(item), old = before.get(key);
    if (old?.dataset.said === said) return old;
    const made = show(item);
    made.dataset.key = key;
    made.dataset.said = said;
    return made;
  });
  if (now.length === 0) now.push(before.get("") ?? emptyItem(empty));
  if (now.length !== list.children.length || now.some((item, index) => list.children[index] !== item)) {
    list.replaceChildren(...now);
  }
}

function emptyItem(text) {
  const made = element("li", { text, kind: "empty" });
  made.dataset.key = "";
  return made;
}

// Pictures need the token, so they are fetched and shown from memory; the latest few are kept.

const pictures = new Map();
const MOST_PICTURES = 200;

function picture(path, alt) {
  const shown = element("img", { kind: "picture", alt });
  if (!pictures.has(path)) {
    pictures.set(path, ask(path).then((answer) => answer.blob()).then(URL.createObjectURL));
    pictures.get(path).catch(() => pictures.delete(path));
    forgetOldPictures();
  }
  pictures.get(path).then((url) => { shown.src = url; }, () => {});
  return shown;
}

function forgetOldPictures() {
  for (const [path, url] of pictures) {
    if (pictures.size <= MOST_PICTURES) return;
    pictures.delete(path);
    url.then(URL.revokeObjectURL, () => {});
  }
}

// Words.

function duration(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s left`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min left` : `${Math.round(seconds / 3600)} h left`;
}

function jobText(job) {
  if (job.state === "queued") return job.ahead ? `Waiting: ${job.ahead} before it.` : "Waiting.";
  if (job.state === "failed") return `${job.error.message} ${job.error.hint}`.trim();
  if (job.state === "finished") return job.result.caption ?? job.result.placeholder ?? "Done.";
  if (job.state === "cancelled") return "Cancelled.";
  const { phase, index, total, seconds_left: left } = job.progress ?? {};
  const parts = [phase ? phase[0].toUpperCase() + phase.slice(1) : "Starting"];
  if (total) parts.push(`${index} of ${total}`);
  if (left !== null && left !== undefined) parts.push(duration(left));
  return parts.join(" · ");
}

function jobTitle(job) {
  const asked = job.request;
  if (job.kind === "edit") return `${asked.operation}: ${asked.target_prompt || asked.source_prompt || "what is selected"}`;
  if (job.kind === "learn") return `learn <${asked.name}>`;
  if (job.kind === "attention") return `where is “${asked.word}”?`;
  if (job.kind === "draw") return `draw: ${asked.prompt || "nothing in particular"}`;
  if (job.kind === "pull") return `pull ${asked.model}`;
  return asked.source_prompt ? `${job.kind}: ${asked.source_prompt}` : job.kind;
}

const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

// What is shown.

function showJob(job) {
  const kind = { failed: "bad", finished: "good" }[job.state] ?? "quiet";
  const said = element("div", {}, element("h3", { text: jobTitle(job) }), element("p", { text: jobText(job), kind: `${kind} long`, title: jobText(job) }));
  if (job.state === "running") {
    const bar = element("progress", { ariaLabel: "progress" });
    if (job.progress?.total) Object.assign(bar, { max: job.progress.total, value: job.progress.index });
    said.append(bar);
  }
  const preview = job.artifacts.thumbnail
    ? picture(`/v1/images/${job.artifacts.thumbnail}`, "")
    : job.preview ? picture(`/v1/images/${job.preview}`, "") : element("span", { kind: "picture" });
  return element("li", {}, preview, said, ENDED.includes(job.state) ? element("span") : cancelButton(job));
}

function cancelButton(job) {
  const button = element("button", { text: "Cancel" });
  button.addEventListener("click", async () => {
    button.disabled = true;
    await ask(`/v1/jobs/${encodeURIComponent(job.id)}`, "DELETE").catch(refused);
    look();
  });
  return button;
}

function showWorker(worker) {
  const { name, memory, memory_free: free, model } = worker.status;
  const here = worker.pid !== null;
  const doing = worker.running ? `running: ${worker.running}` : here ? "idle" : "no memory held";
  return element("li", {},
    element("h3", { text: worker.lane }),
    element("p", { text: doing, kind: worker.running ? "good" : "quiet" }),
    here && name ? element("p", { text: memory ? `${name}, ${gib(free)} of ${gib(memory)} free` : name, kind: "quiet" }) : null,
    here && model ? element("p", { text: `model: ${model}`, kind: "quiet" }) : null);
}

function showConcept(concept) {
  const path = `/v1/concepts/${encodeURIComponent(concept.name)}/thumbnail`;
  return element("li", {},
    concept.thumbnail ? picture(path, "") : element("span", { kind: "picture" }),
    element("div", {},
      element("h3", { text: `<${concept.name}>` }),
      element("p", { text: `${concept.kind} · ${concept.noun} · ${concept.family}`, kind: "quiet" })));
}

function showModel(model) {
  const { error, family, native_size: size, title, licence, size: bytes } = model.details;
  const said = error ? element("p", { text: `${error.message} ${error.hint}`.trim(), kind: "bad" })
    : model.installed ? element("p", { text: `${family} · ${size} pixels`, kind: "quiet" })
    : element("p", { text: `${title} · ${gib(bytes)} · ${licence}`, kind: "quiet" });
  const how = model.installed ? "" : `palimpsest pull ${model.name}`;
  return element("li", {}, element("div", {}, element("h3", { text: model.name }), said), element("code", { text: how, kind: "quiet" }));
}

// Looking again and again while the page is seen.

let slow = 0;
let looking = false;

async function look() {
  if (looking || document.hidden || !sessionStorage.getItem(KEY)) return;
  looking = true;
  try {
    const [system, jobs] = await Promise.all([askJson("/v1/system"), askJson("/v1/jobs?limit=30")]);
    showHouse(system, jobs.jobs);
    if (Date.now() > slow) {
      const [concepts, models] = await Promise.all([askJson("/v1/concepts"), askJson("/v1/models")]);
      fill(byId("concepts"), concepts.concepts, (one) => one.name, showConcept, "None yet: palimpsest learn, or the panel's “Teach a word”.");
      fill(byId("models"), models.models, (one) => one.name, showModel, "None.");
      slow = Date.now() + SLOWLY * 1000;
    }
  } catch (error) {
    refused(error);
  } finally {
    looking = false;
  }
}

function showHouse(system, jobs) {
  const { waiting, running } = system.queue;
  byId("line").textContent = `${system.versions.palimpsest} · ${system.owner} · ${running} running, ${waiting} waiting`;
  open(true);
  fill(byId("notices"), system.notices, (text) => text, (text) => element("li", { text }), "");
  byId("notices").hidden = system.notices.length === 0;
  fill(byId("devices"), system.workers, (worker) => worker.lane, showWorker, "None.");
  fill(byId("jobs"), jobs, (job) => job.id, showJob, "None yet.");
}

function open(inside) {
  for (const id of ["house", "forget", "unload"]) byId(id).hidden = !inside;
  byId("door").hidden = inside;
}

function refused(error) {
  if (error instanceof Refused && error.status !== 401) {
    byId("line").textContent = error.message;
  } else if (error instanceof Refused) {
    leave("This is not the server's token.");
  } else {
    byId("line").textContent = "The server doesn't answer. Looking for it again …";
  }
}

function leave(why) {
  sessionStorage.removeItem(KEY);
  for (const id of ["devices", "jobs", "concepts", "models", "notices"]) byId(id).replaceChildren();
  byId("line").textContent = "";
  byId("refusal").textContent = why;
  slow = 0;
  open(false);
  byId("token").focus();
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId("token").value.trim());
  byId("token").value = "";
  byId("refusal").textContent = "";
  look();
});
byId("forget").addEventListener("click", () => leave(""));
byId("unload").addEventListener("click", () => ask("/v1/system/unload", "POST").catch(refused));
document.addEventListener("visibilitychange", look);
if (!sessionStorage.getItem(KEY)) leave("");
setInterval(look, SECONDS * 1000);
look();
