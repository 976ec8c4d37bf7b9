"""While a model is loaded, main memory holds no more than its file, which is mapped, and its networks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from original_naming import single_file
from tiny import tiny_folder

SIZES = {"channels": (256, 512), "width": 256, "vae_channels": (64, 64, 128, 128)}
MODULES = 30 << 20  # bytes of modules that are first imported while loading, at most
CHILD = """
import re, sys
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from pathlib import Path
from transformers import CLIPTextModel
from palimpsest.models import families, precision

def peak():
    # not getrusage: that of a child begins with what its parent held
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10

torch.set_num_threads(1)
precision.processor_in_half = lambda: sys.argv[2] == "bfloat16"
before = peak()
model = families.load(Path(sys.argv[1]), "cpu")
held = peak() - before
networks = [model.network.module, model.vae, *(part.encoder for part in model.text)]
print(model.dtype, held, sum(p.nbytes for network in networks for p in network.parameters()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("layout", ["folder", "file"])
def test_no_second_copy_is_made(layout: str, precision: str, tmp_path: Path) -> None:
    if layout == "folder":
        place = tiny_folder(tmp_path / "m", "sd1", **SIZES)
    else:
        place = single_file(tmp_path / "m.safetensors", "sd1", sizes=SIZES)
    files = list(tmp_path.rglob("*.safetensors"))
    files = files if layout == "folder" else [place]
    for file in files:  # as they are published
        save_file({key: value.half() for key, value in load_file(file).items()}, file, {"format": "pt"})
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(place), precision], capture_output=True, text=True, check=True
    )
    dtype, held, networks = child.stdout.split()
    assert dtype == f"torch.{precision}"
    assert int(held) <= int(networks) + sum(file.stat().st_size for file in files) + MODULES
