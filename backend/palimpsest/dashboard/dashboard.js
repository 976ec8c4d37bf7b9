// The page that GET / shows: one's own jobs, concepts, models, devices. No framework, no build step.

import { byId, element, fill } from "/dashboard/elements.js";
import { showJobs } from "/dashboard/jobs.js";
import { pullOf, showConcept, showModel } from "/dashboard/library.js";
import { Refused, ask, askJson, token } from "/dashboard/server.js";
import { closeViewer } from "/dashboard/viewer.js";
import { gib, mib } from "/dashboard/words.js";

const SECONDS = 1;
const SLOWLY = 15; // seconds between looks at concepts and models
const PAGE = 30, MOST_JOBS = 200;

function showWorker(worker) {
  const { name, memory, memory_free: free, model, kept = {} } = worker.status;
  const bytes = Object.values(kept).reduce((sum, part) => sum + part, 0);
  const here = worker.pid !== null;
  const doing = worker.running ? `running: ${worker.running}` : here ? "idle" : "no memory held";
  return element("li", {},
    element("h3", { text: worker.lane }),
    element("p", { text: doing, kind: worker.running ? "good" : "quiet" }),
    here && name ? element("p", { text: memory ? `${name}, ${gib(free)} of ${gib(memory)} free` : name, kind: "quiet" }) : null,
    here && model ? element("p", { text: `model: ${model}`, kind: "quiet" }) : null,
    here && bytes >= 2 ** 20 ? element("p", { text: `kept for the next edit: ${mib(bytes)}`, kind: "quiet" }) : null);
}

// Looking again and again while the page is seen.

let due = 0; // when concepts and models are looked at again
let visit = { looking: null }; // since the token was given; the promise of a look that goes on
let wanted = PAGE; // jobs
let library = { concepts: [], models: [] };

function look() {
  const now = visit;
  now.looking ??= lookOnce(() => visit === now).finally(() => { now.looking = null; });
  return now.looking;
}

// What was asked with a token that is forgotten meanwhile is shown to nobody.
async function lookOnce(lasts) {
  if (document.hidden || !token.known()) return;
  try {
    const [system, jobs] = await Promise.all([askJson("/v1/system"), askJson(`/v1/jobs?limit=${wanted}`)]);
    if (Date.now() > due) {
      due = Date.now() + SLOWLY * 1000;
      const [concepts, models] = await Promise.all([askJson("/v1/concepts"), askJson("/v1/models")]);
      if (lasts()) library = { ...concepts, ...models };
    }
    if (lasts()) showHouse(system, jobs);
  } catch (error) {
    if (lasts()) refused(error);
  }
}

// One that goes on may have asked before the change.
async function lookAtAll() {
  await visit.looking;
  due = 0;
  return look();
}

// Said only when it changes: a screen reader reads it out each time.
function tell(text) {
  if (byId("line").textContent !== text) byId("line").textContent = text;
}

let pulling = "";

function showHouse(system, { jobs, next }) {
  const { waiting, running } = system.queue;
  tell(`${system.versions.palimpsest} · ${system.owner} · ${running} running, ${waiting} waiting`);
  open(true);
  fill(byId("notices"), system.notices, (text) => text, (text) => element("li", { text }), "");
  byId("notices").hidden = system.notices.length === 0;
  showJobs(jobs, lookAtAll);
  byId("more").hidden = next === null || wanted >= MOST_JOBS;
  const concepts = library.concepts.map((concept) => ({ ...concept, asked: system.owner }));
  fill(byId("concepts"), concepts, (one) => one.name, (one) => showConcept(one, one.asked, lookAtAll),
    "None yet: palimpsest learn, or + in an editor's panel.");
  const models = library.models.map((model) => ({ model, pull: pullOf(model, jobs) }));
  fill(byId("models"), models, (one) => one.model.name, (one) => showModel(one, lookAtAll), "None.");
  fill(byId("devices"), system.workers, (worker) => worker.lane, showWorker, "None.");
  const pullsNow = models.filter(({ pull }) => pull !== null).map(({ model }) => model.name).join();
  if (pullsNow !== pulling) due = 0; // one began or ended
  pulling = pullsNow;
}

function open(inside) {
  for (const id of ["house", "forget", "unload"]) byId(id).hidden = !inside;
  byId("door").hidden = inside;
}

function refused(error) {
  if (error instanceof Refused && error.status !== 401) {
    tell(error.message);
  } else if (error instanceof Refused) {
    leave("This is not the server's token.");
  } else {
    tell("The server doesn't answer. Looking for it again …");
  }
}

function leave(why) {
  token.forget();
  visit = { looking: null };
  closeViewer();
  byId("question").close();
  for (const id of ["devices", "jobs", "failures", "concepts", "models", "notices"]) byId(id).replaceChildren();
  byId("trouble").hidden = true;
  byId("question-title").textContent = "";
  tell("");
  byId("refusal").textContent = why;
  library = { concepts: [], models: [] };
  due = 0;
  wanted = PAGE;
  open(false);
  byId("token").focus();
}

byId("door").addEventListener("submit", (event) => {
  event.preventDefault();
  token.keep(byId("token").value.trim());
  byId("token").value = "";
  byId("refusal").textContent = "";
  look();
});
byId("forget").addEventListener("click", () => leave(""));
byId("unload").addEventListener("click", () => ask("/v1/system/unload", "POST").catch(refused));
byId("trouble").querySelector("button").addEventListener("click", () => { byId("trouble").hidden = true; });
byId("more").addEventListener("click", () => { wanted = Math.min(wanted + PAGE, MOST_JOBS); look(); });
document.addEventListener("visibilitychange", look);
if (!token.known()) leave("");
setInterval(look, SECONDS * 1000);
look();
