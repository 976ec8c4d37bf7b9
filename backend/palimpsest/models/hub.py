"""What a repository on the Hugging Face hub holds, and which of its files a pipeline needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from palimpsest.errors import ModelNotFoundError, NetworkError, Text
from palimpsest.models.download import Remote, require_online
from palimpsest.models.families import folders
from palimpsest.models.offers import Offer

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

TEXTS = (".json", ".txt")
WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class RepositoryFile:
    path: str
    remote: Remote


def list_files(offer: Offer) -> list[RepositoryFile]:
    """The files to fetch, of one commit, each with size and hash. Raises NetworkError, OfflineError."""
    require_online()
    from huggingface_hub import HfApi, get_token, hf_hub_url
    from huggingface_hub.errors import RepositoryNotFoundError

    hub = HfApi()
    try:
        found = hub.model_info(offer.repository, files_metadata=True, timeout=30)
    except RepositoryNotFoundError as error:
        raise ModelNotFoundError(
            f"The hub has no repository {offer.repository}, or you may not see it.",
            "If it is gated, accept its licence on its page and set HF_TOKEN.",
        ) from error
    except Exception as error:  # the hub's client raises those of several HTTP libraries
        raise NetworkError(
            Text("hub-silent", repository=offer.repository, reason=type(error).__name__),
            Text("check-connection"),
        ) from error
    token = get_token()
    headers = (("Authorization", f"Bearer {token}"),) if token is not None else ()
    siblings = {sibling.rfilename: sibling for sibling in found.siblings or ()}
    files = []
    for path in wanted(sorted(siblings), offer.variant):
        url = hf_hub_url(offer.repository, path, revision=found.sha, endpoint=hub.endpoint)
        files.append(RepositoryFile(path, as_remote(siblings[path], url, headers)))
    return files


def as_remote(sibling: RepoSibling, url: str, headers: tuple[tuple[str, str], ...]) -> Remote:
    sha256 = None if sibling.lfs is None else sibling.lfs.sha256
    return Remote(url, sibling.size, sha256, sibling.blob_id if sha256 is None else None, headers)


def wanted(paths: list[str], variant: str | None) -> list[str]:
    """Configuration, tokenizers and one set of safetensors weights; nothing pickled, no duplicates."""
    parts = [path.split("/") for path in paths]
    if "model_index.json" not in paths:  # one network: everything lies in the top folder
        names = [path for path in paths if "/" not in path]
        return [*(name for name in names if _is_text(name)), *weights(names, variant)]
    chosen = ["model_index.json"]
    for folder in folders():
        names = [part[1] for part in parts if len(part) == 2 and part[0] == folder]
        texts = [name for name in names if _is_text(name)]
        chosen += [f"{folder}/{name}" for name in [*texts, *weights(names, variant)]]
    return chosen


def _is_text(name: str) -> bool:
    return name.endswith(TEXTS) and ".index." not in name


def weights(names: list[str], variant: str | None) -> list[str]:
    """The files of the variant, if the folder has it, otherwise the plain ones."""
    files = [name for name in names if name.endswith(WEIGHTS)]
    if variant is not None:
        of_variant = [name for name in files if f".{variant}." in name]
        if of_variant:
            return of_variant
    return [name for name in files if name.count(".") == 1]
