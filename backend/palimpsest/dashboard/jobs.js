// One's own jobs: those that go, those that ended, and failures, put together by their reason.

import { button, byId, confirmed, element, fill, thumbnail } from "/dashboard/elements.js";
import { ask, imagePath, jobPath, submit } from "/dashboard/server.js";
import { view } from "/dashboard/viewer.js";
import { ENDED, pictureOf, textOf, timesOf, titleOf } from "/dashboard/words.js";

// `again` looks at the server at once.
export function showJobs(jobs, again) {
  const seen = jobs.filter((job) => !job.request.draft || !ENDED.includes(job.state));
  const failures = groupsOf(seen.filter((job) => job.state === "failed"));
  const others = seen.filter((job) => job.state !== "failed");
  byId("failed").hidden = failures.length === 0;
  fill(byId("failures"), failures, (group) => group.reason, (group) => showFailure(group, again), "");
  fill(byId("jobs"), others, (job) => job.id, (job) => showJob(job, again), "None yet.");
}

function groupsOf(jobs) {
  const groups = new Map();
  for (const job of jobs) {
    const { code, message, hint } = job.error, reason = [code, message, hint].join("\n");
    if (!groups.has(reason)) groups.set(reason, { reason, code, message, hint, jobs: [] });
    groups.get(reason).jobs.push(job);
  }
  return [...groups.values()];
}

function showFailure({ code, message, hint, jobs }, again) {
  const several = jobs.length > 1;
  const said = element("div", {},
    element("h3", { text: several ? `${jobs.length} jobs: ${message}` : message, kind: "bad" }),
    element("p", { text: hint }),
    several ? detailsOf(jobs) : describe(jobs[0]),
    element("p", { text: code, kind: "quiet code" }));
  const actions = element("div", { kind: "actions" },
    button("Try again", message, async () => {
      for (const job of jobs) await repeat(job);
      await again();
    }),
    button("Dismiss", message, async () => {
      for (const job of jobs) await forget(job);
      await again();
    }));
  return element("li", {}, thumbnail(smallPicture(jobs[0])), said, actions);
}

function detailsOf(jobs) {
  const lines = jobs.map((job) => element("li", {}, describe(job)));
  return element("details", {}, element("summary", { text: "Which" }), element("ul", {}, ...lines));
}

function describe(job) {
  return element("p", { text: [titleOf(job), pictureOf(job), ...timesOf(job)].filter(Boolean).join(" · "), kind: "quiet" });
}

// The new job is accepted before the failed one is forgotten, so that its pictures stay.
async function repeat(job) {
  const client = job.id.split("-")[0].slice(0, 31); // an id has 64 characters at most
  await submit(job.kind, job.request, { client, priority: job.priority, origin: job.origin });
  await forget(job);
}

// One that is gone already is forgotten, too.
function forget(job) {
  return ask(jobPath(job, "?forget=true"), "DELETE").catch((error) => {
    if (error.status !== 404) throw error;
  });
}

function showJob(job, again) {
  const said = element("div", {},
    element("h3", { text: titleOf(job) }),
    element("p", { text: textOf(job), kind: `${job.state === "finished" ? "good" : "quiet"} long`, title: textOf(job) }),
    element("p", { text: [pictureOf(job), ...timesOf(job)].filter(Boolean).join(" · "), kind: "quiet" }));
  if (job.state === "running") said.append(bar(job));
  return element("li", {}, thumbnail(smallPicture(job)), said, element("div", { kind: "actions" }, ...actionsOf(job, again)));
}

export function bar(job) {
  const made = element("progress", { ariaLabel: "progress" });
  if (job.progress?.total) Object.assign(made, { max: job.progress.total, value: job.progress.index });
  return made;
}

function actionsOf(job, again) {
  const title = titleOf(job);
  if (!ENDED.includes(job.state)) {
    return [button("Cancel", title, () => ask(jobPath(job), "DELETE").then(again))];
  }
  const remove = () => removed(job).then((gone) => gone && again());
  if (job.state === "cancelled") {
    return [button("Try again", title, () => repeat(job).then(again)), button("Remove", title, remove)];
  }
  const shown = Object.keys(job.artifacts).length > 0 || job.result.recipe !== undefined;
  return [...(shown ? [button("Open", title, () => view(job))] : []), button("Remove", title, remove)];
}

async function removed(job) {
  const told = "The server forgets this job, and the pictures that no other job has. It can't be undone.";
  if (job.state === "finished" && !(await confirmed(titleOf(job), told, "Remove"))) return false;
  await forget(job);
  return true;
}

function smallPicture(job) {
  const image = job.artifacts.thumbnail ?? job.preview;
  return image ? imagePath(image) : null;
}
