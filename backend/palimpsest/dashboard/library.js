// Concepts and models: what everybody on this server uses.

import { button, confirmed, element, question, save, thumbnail } from "/dashboard/elements.js";
import { bar } from "/dashboard/jobs.js";
import { ask, conceptPath, jobPath, submit } from "/dashboard/server.js";
import { ENDED, gib, progressOf } from "/dashboard/words.js";

const MAIN = "local"; // whoever runs the server may change every concept

export function showConcept(concept, owner, again) {
  const { name, kind, noun, family } = concept;
  const own = owner === MAIN || owner === concept.owner;
  const actions = [button("Download", name, () => download(concept))];
  if (own) {
    actions.push(button("Rename", name, () => rename(concept).then(again)));
    actions.push(button("Delete", name, () => remove(concept).then(again)));
  }
  return element("li", {},
    thumbnail(concept.thumbnail ? conceptPath(concept, "/thumbnail") : null),
    element("div", {},
      element("h3", { text: `<${name}>` }),
      element("p", { text: [kind, noun, family].filter(Boolean).join(" · "), kind: "quiet" }),
      own ? null : element("p", { text: `of ${concept.owner}`, kind: "quiet" }),
      element("div", { kind: "actions" }, ...actions)));
}

async function download(concept) {
  save(await (await ask(conceptPath(concept, "/file"))).blob(), `${concept.name}.safetensors`);
}

async function rename(concept) {
  const name = await question(`Rename <${concept.name}>`, "Small letters, digits, - and _, without brackets.", "Rename", concept.name);
  if (name && name !== concept.name) await ask(conceptPath(concept), "PATCH", { name });
}

async function remove(concept) {
  const told = "It can't be brought back. Download it first to keep it.";
  if (await confirmed(`Delete <${concept.name}>?`, told, "Delete")) await ask(conceptPath(concept), "DELETE");
}

// Its download, if one of one's own goes on.
export const pullOf = (model, jobs) => jobs.find(
  (job) => job.kind === "pull" && job.request.model === model.name && !ENDED.includes(job.state)) ?? null;

export function showModel({ model, pull }, again) {
  const said = element("div", {}, element("h3", { text: model.name }), ...linesOf(model));
  if (pull !== null) said.append(element("p", { text: progressOf(pull), kind: "quiet" }), bar(pull));
  return element("li", {}, said, element("div", { kind: "actions" }, ...actionsOf(model, pull, again)));
}

function linesOf({ installed, details }) {
  const { error, family, native_size: size, title, licence, size: bytes } = details;
  if (error) return [element("p", { text: `${error.message} ${error.hint}`.trim(), kind: "bad" })];
  const told = installed ? [family, `${size} pixels`] : [title, gib(bytes), licence];
  return [element("p", { text: told.filter(Boolean).join(" · "), kind: "quiet" })];
}

function actionsOf(model, pull, again) {
  if (pull !== null) return [button("Cancel", model.name, () => ask(jobPath(pull), "DELETE").then(again))];
  return model.installed ? [] : [button("Download", model.name, () => fetchModel(model).then(again))];
}

async function fetchModel({ name, details: { title, size, licence, licence_url: terms, note } }) {
  const told = [`${gib(size)} will be downloaded to the server. Licence: ${licence}, ${terms}`, note].filter(Boolean).join(" ");
  if (await confirmed(`Download ${title}?`, told, "Download")) await submit("pull", { model: name });
}
