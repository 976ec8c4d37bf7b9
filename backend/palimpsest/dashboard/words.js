// What is said of jobs, sizes and times.

export const ENDED = ["finished", "failed", "cancelled"];
export const gib = (bytes) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
export const mib = (bytes) => `${Math.round(bytes / 2 ** 20)} MiB`;

export function duration(seconds) {
  if (seconds < 9.95) return `${Math.max(seconds, 0).toFixed(1)} s`;
  const whole = Math.round(seconds), minutes = Math.round(whole / 60);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function about(seconds) {
  const whole = Math.round(seconds), minutes = Math.round(whole / 60);
  if (whole < 60) return `${whole} s left`;
  return minutes < 60 ? `${minutes} min left` : `${Math.round(minutes / 60)} h left`;
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
