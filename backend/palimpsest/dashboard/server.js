// What is asked of the server, with the token of this tab.

const KEY = "palimpsest-token";
const MOST_PICTURES = 200; // that are kept in memory

export const token = {
  known: () => sessionStorage.getItem(KEY) !== null,
  keep: (text) => sessionStorage.setItem(KEY, text),
  forget() {
    sessionStorage.removeItem(KEY);
    forgetPictures(0);
  },
};

export class Refused extends Error {
  constructor(status, told) {
    super(`${told.message ?? "The server refused."} ${told.hint ?? ""}`.trim());
    this.status = status;
  }
}

// `json`: what is sent. Throws Refused, and TypeError where no server answers.
export async function ask(path, method = "GET", json = undefined) {
  const headers = { Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const order = { method, headers, cache: "no-cache" };
  if (json !== undefined) {
    headers["Content-Type"] = "application/json";
    order.body = JSON.stringify(json);
  }
  const answer = await fetch(path, order);
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

export const askJson = async (path) => (await ask(path)).json();
export const imagePath = (image) => `/v1/images/${image}`;
export const jobPath = (job, rest = "") => `/v1/jobs/${encodeURIComponent(job.id)}${rest}`;
export const conceptPath = (concept, rest = "") => `/v1/concepts/${encodeURIComponent(concept.name)}${rest}`;

// The same request once more, under an id of its own that names the same client: the editor that asked for
// it finds the result. randomUUID is not there on pages without TLS.
export function submit(kind, request, { client = "web", priority = "interactive", origin = "" } = {}) {
  const numbers = crypto.getRandomValues(new Uint8Array(16));
  const random = [...numbers].map((number) => number.toString(16).padStart(2, "0")).join("");
  return ask("/v1/jobs", "POST", { id: `${client}-${random}`, kind, request, priority, origin });
}

// Pictures need the token, so they are fetched and shown from memory: the addresses of the latest few.

const pictures = new Map();

export function picture(path) {
  if (!pictures.has(path)) {
    pictures.set(path, ask(path).then((answer) => answer.blob()).then(URL.createObjectURL));
    pictures.get(path).catch(() => pictures.delete(path));
    forgetPictures(MOST_PICTURES);
  }
  return pictures.get(path);
}

function forgetPictures(most) {
  for (const [path, url] of pictures) {
    if (pictures.size <= most) return;
    pictures.delete(path);
    url.then(URL.revokeObjectURL, () => {});
  }
}
