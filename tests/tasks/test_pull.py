"""Pulling a model puts it in place whole, from a hub that is a folder on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
from dataclasses import replace

import huggingface_hub.constants
import pytest

from models.file_server import shelf
from palimpsest.app import pull_options
from palimpsest.contract import PullRequest
from palimpsest.errors import (
    AddressForbiddenError,
    DownloadTooLargeError,
    ModelBusyError,
    ModelNotFoundError,
    ModelUnreadableError,
    NetworkError,
    OfflineError,
    PickledModelError,
    RequestError,
    StorageError,
)
from palimpsest.jobs.events import Finished, Progressed
from palimpsest.models import download, hub
from palimpsest.models.download import Limits
from palimpsest.models.offers import OFFERS, offer
from palimpsest.settings import read_settings
from palimpsest.tasks.pull import open_pull_runner, pull
from tiny_task import finish

WEIGHTS = struct.pack("<Q", 8) + b'{"a": 1}' + b"\0" * 100
REPOSITORY = {
    "model_index.json": b"{}",
    "README.md": b"not needed",
    "v1-5-pruned.ckpt": b"pickled",
    "unet/config.json": b'{"x": 1}',
    "unet/diffusion_pytorch_model.bin": b"pickled",
    "unet/diffusion_pytorch_model.safetensors": WEIGHTS * 2,
    "unet/diffusion_pytorch_model.fp16.safetensors": WEIGHTS,
    "unet/diffusion_pytorch_model.non_ema.safetensors": WEIGHTS * 3,
    "vae/config.json": b"{}",
    "vae/diffusion_pytorch_model.safetensors": WEIGHTS,
    "text_encoder/config.json": b"{}",
    "text_encoder/model.fp16.safetensors": WEIGHTS,
    "tokenizer/vocab.json": b"{}",
    "tokenizer/merges.txt": b"#version",
    "scheduler/scheduler_config.json": b"{}",
    "safety_checker/model.safetensors": b"not needed",
}
NEEDED = {
    "model_index.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.fp16.safetensors",
    "tokenizer/vocab.json",
    "tokenizer/merges.txt",
    "scheduler/scheduler_config.json",
}


HERE = Limits(networks=("127.0.0.0/8",))


def options(models) -> dict[str, object]:
    """What the server gives its puller; this machine may be asked."""
    settings = replace(read_settings({"PALIMPSEST_HOME": "/nowhere"}), download_networks=HERE.networks)
    return {**pull_options(settings), "models": str(models)}


@pytest.fixture
def server(monkeypatch):
    for name in download.OFFLINE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with shelf() as served:
        template = served.address + "/{repo_id}/resolve/{revision}/{filename}"  # as HF_ENDPOINT does
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", served.address)
        monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        served.add_repository(offer("sd15").repository, REPOSITORY)
        yield served


def test_a_model_of_the_catalogue_comes_whole(server, tmp_path):
    told = list(pull(PullRequest("sd15"), tmp_path))
    assert isinstance(told[0], Progressed)
    assert told[-1] == Finished({}, {"model": "sd15", "path": str(tmp_path / "sd15"), "new": True})
    found = {
        str(path.relative_to(tmp_path / "sd15")) for path in (tmp_path / "sd15").rglob("*") if path.is_file()
    }
    assert found == NEEDED
    for path in NEEDED:
        assert (tmp_path / "sd15" / path).read_bytes() == REPOSITORY[path]
    assert finish(pull(PullRequest("sd15"), tmp_path)).result["new"] is False


def test_a_pull_that_was_stopped_is_no_model_and_goes_on(server, tmp_path):
    stopped = pull(PullRequest("sd15"), tmp_path)
    next(stopped)
    stopped.close()
    assert not (tmp_path / "sd15").exists()
    asked = len(server.asked)
    list(pull(PullRequest("sd15"), tmp_path))
    assert (tmp_path / "sd15" / "model_index.json").exists()
    assert len(server.asked) - asked <= len(NEEDED)


def test_a_damaged_file_of_the_hub_is_refused(server, tmp_path):
    described = server.describe(offer("sd15").repository)
    server.describe = lambda name: described
    server.files[f"/{offer('sd15').repository}/resolve/c0ffee/unet/config.json"] = b'{"x": 2}'
    with pytest.raises(NetworkError, match=r"unet/config\.json"):
        list(pull(PullRequest("sd15"), tmp_path))
    assert not (tmp_path / "sd15").exists()


def test_one_file_comes_by_its_address(server, tmp_path):
    server.files["/mine"] = WEIGHTS
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    told = list(
        open_pull_runner("", options(tmp_path)).run(
            "pull", {"model": "mine", "url": server.url("/mine"), "sha256": digest}
        )
    )
    assert finish(told).result["new"]
    assert (tmp_path / "mine.safetensors").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"PK\x03\x04 a zip", PickledModelError),
        (b"\x80\x02}", PickledModelError),
        (b"\x80\x03}", PickledModelError),
        (struct.pack("<Q", 900) + b"[" * 900, ModelUnreadableError),
        (struct.pack("<Q", 16) + b'{"\\ud800": 1}   ', ModelUnreadableError),
        (b"<html>", ModelUnreadableError),
        (b"", ModelUnreadableError),
    ],
)
def test_what_is_no_safetensors_file_is_not_kept(server, tmp_path, content, error):
    server.files["/bad"] = content
    request = PullRequest("bad", server.url("/bad"), hashlib.sha256(content).hexdigest())
    with pytest.raises(error):
        list(pull(request, tmp_path, (), HERE))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "x" * 65, "a.b"])
def test_a_name_that_could_be_a_path_is_refused(tmp_path, name):
    with pytest.raises(RequestError):
        list(pull(PullRequest(name), tmp_path))


def test_two_processes_do_not_bring_the_same_model_at_once(server, tmp_path):
    first = pull(PullRequest("sd15"), tmp_path)
    assert isinstance(next(first), Progressed)
    code = (
        "import sys; from pathlib import Path\n"
        "from palimpsest.tasks.pull import model_lock\n"
        f"with model_lock('SD15', Path({str(tmp_path)!r})): print('inside')\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "ModelBusyError: 'SD15' is being downloaded by another process." in other.stderr
    with pytest.raises(ModelBusyError):
        list(pull(PullRequest("sd15"), tmp_path))
    assert finish(first).result["new"] is True
    assert finish(pull(PullRequest("sd15"), tmp_path)).result["new"] is False
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_pull_that_was_broken_off_keeps_no_other_from_going_on(server, tmp_path):
    first = pull(PullRequest("sd15"), tmp_path)
    next(first)
    first.close()
    assert finish(pull(PullRequest("sd15"), tmp_path)).result["new"] is True


def test_what_is_here_needs_no_lock(server, tmp_path, monkeypatch):
    list(pull(PullRequest("sd15"), tmp_path))

    def require_valid(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("palimpsest.storage.lock.make_folder", require_valid)
    assert finish(pull(PullRequest("sd15"), tmp_path)).result["new"] is False
    with pytest.raises(StorageError, match="Read-only"):
        list(pull(PullRequest("mine", server.url("/mine"), "0" * 64), tmp_path))


def test_http_needs_a_hash_and_strangers_are_not_in_the_catalogue(server, tmp_path):
    with pytest.raises(RequestError, match="https"):
        list(pull(PullRequest("mine", server.url("/mine")), tmp_path))
    with pytest.raises(ModelNotFoundError, match="sd15"):
        list(pull(PullRequest("nothing"), tmp_path))
    server.repositories.clear()
    with pytest.raises(ModelNotFoundError, match="HF_TOKEN"):
        list(pull(PullRequest("sd15"), tmp_path))


def test_offline_nothing_is_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("PALIMPSEST_OFFLINE", "1")
    with pytest.raises(OfflineError):
        list(pull(PullRequest("sd15"), tmp_path))


def test_the_catalogue_says_what_a_person_should_know():
    for known in OFFERS:
        assert known.size > 10**9
        assert known.memory > known.size
        assert known.licence_url.startswith("https://")
    assert hub.wanted(sorted(REPOSITORY), None).count("unet/diffusion_pytorch_model.safetensors") == 1
    json.dumps([known.to_json() for known in OFFERS])


@pytest.mark.parametrize("name", ["sd15", "SDXL", "captions", "built-in", "Built-In"])
def test_a_name_of_the_catalogue_is_given_by_the_catalogue_alone(server, tmp_path, name):
    server.files["/mine"] = WEIGHTS
    request = PullRequest(name, server.url("/mine"), hashlib.sha256(WEIGHTS).hexdigest())
    with pytest.raises(RequestError, match="catalogue"):
        list(pull(request, tmp_path, (), HERE))
    assert server.paths == []
    assert list(tmp_path.iterdir()) == []


def test_by_default_an_address_of_this_machine_is_refused(server, tmp_path):
    server.files["/mine"] = WEIGHTS
    request = PullRequest("mine", server.url("/mine"), hashlib.sha256(WEIGHTS).hexdigest())
    with pytest.raises(AddressForbiddenError):
        list(pull(request, tmp_path))
    assert server.paths == []


def test_another_model_of_the_same_name_is_not_passed_off_as_the_one_asked_for(server, tmp_path):
    server.files["/mine"] = WEIGHTS
    mine = PullRequest("mine", server.url("/mine"), hashlib.sha256(WEIGHTS).hexdigest())
    list(pull(mine, tmp_path, (), HERE))
    assert finish(pull(mine, tmp_path, (), HERE)).result["new"] is False
    with pytest.raises(RequestError, match="another model"):
        list(pull(replace(mine, sha256="0" * 64), tmp_path, (), HERE))


def test_a_header_whose_length_looks_like_a_pickle_is_a_header(server, tmp_path):
    content = struct.pack("<Q", 0x280) + b'{"a": 1}'.ljust(0x280) + b"\0" * 4
    server.files["/mine"] = content
    request = PullRequest("mine", server.url("/mine"), hashlib.sha256(content).hexdigest())
    assert finish(pull(request, tmp_path, (), HERE)).result["new"]


def test_what_has_come_of_a_catalogue_model_goes_when_it_is_too_large(server, tmp_path):
    with pytest.raises(DownloadTooLargeError):
        list(pull(PullRequest("sd15"), tmp_path, (), Limits(most_bytes=50)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
