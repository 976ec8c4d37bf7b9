// What is said of jobs, sizes and times.

export const ENDED = ["finished", "failed", "cancelled"];
export const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export function duration(seconds) {
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}

function about(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s left`;
  return seconds < 3600 ? `${Math.round(seconds / 60)} min left` : `${Math.round(seconds / 3600)} h left`;
}

// Today's times without the day.
export function moment(seconds) {
  const then = new Date(seconds * 1000);
  const today = then.toDateString() === new Date().toDateString();
  return today ? then.toLocaleTimeString() : then.toLocaleString();
}

// When a job was accepted, how long it waited for a worker, and how long it took from then on.
export function timesOf(job) {
  const ended = ENDED.includes(job.state), parts = [moment(job.created)];
  if (job.started !== null) parts.push(`waited ${duration(job.started - job.created)}`);
  else if (ended) parts.push(`waited ${duration(job.updated - job.created)}`);
  if (job.started !== null && ended) parts.push(`took ${duration(job.updated - job.started)}`);
  return parts;
}

export function progressOf(job) {
  if (job.state === "queued") return job.ahead ? `Waiting: ${job.ahead} before it.` : "Waiting.";
  const { phase, index, total, seconds_left: left } = job.progress ?? {};
  const parts = [phase ? phase[0].toUpperCase() + phase.slice(1) : "Starting"];
  const unit = job.kind === "pull" ? " MiB" : "";
  if (total) parts.push(`${index} of ${total}${unit}`);
  if (left !== null && left !== undefined) parts.push(about(left));
  return parts.join(" · ");
}

export function textOf(job) {
  if (job.state === "finished") return job.result.caption ?? job.result.placeholder ?? "Done.";
  return job.state === "cancelled" ? "Cancelled." : progressOf(job);
}

export function titleOf(job) {
  const asked = job.request;
  if (job.kind === "edit") return `${asked.operation}: ${asked.target_prompt || asked.source_prompt || "what is selected"}`;
  if (job.kind === "learn") return `learn <${asked.name}>`;
  if (job.kind === "attention") return `where is “${asked.word}”?`;
  if (job.kind === "draw") return `draw: ${asked.prompt || "nothing in particular"}`;
  if (job.kind === "pull") return `pull ${asked.model}`;
  return asked.source_prompt ? `${job.kind}: ${asked.source_prompt}` : job.kind;
}

// The name of the picture that a job was made from, where its client noted it.
export function pictureOf(job) {
  try {
    const { name } = JSON.parse(job.origin);
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

// As the shell names files: photo-replace-layer.png.
export function fileName(job, artifact, ending) {
  const stem = pictureOf(job).replace(/\.[^.]*$/, "") || job.id;
  const parts = [stem, job.request.operation ?? job.kind, artifact].filter(Boolean).join("-");
  return `${parts.replace(/[<>]/g, "").replace(/[^\p{L}\p{N}_-]/gu, "-")}.${ending}`;
}
