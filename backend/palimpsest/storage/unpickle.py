"""Pickled weights to safetensors, by the command that the refusal of a pickle prints.

Only weights are unpickled (torch's ``weights_only``): of all that a pickle can name, tensors, numbers, text
and plain containers are made, and nothing is called. A file that holds anything else is refused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from palimpsest.storage.files import open_regular

if TYPE_CHECKING:
    from torch import Tensor

PAIRS = (("clip_l", "clip_g"), ("text_encoders_0", "text_encoders_1"))  # SDXL's two encoders
NO_NAME = "*"  # the word in the original repository's files, whatever was learned


def embedding(source: str, target: str) -> None:
    """A textual-inversion embedding: of the original repository, web interfaces, diffusers, or SDXL's pair.

    The word it stands for is kept as the tensor's name, in angle brackets.
    """
    _convert(Path(source), Path(target), _rows)


def checkpoint(source: str, target: str) -> None:
    """A model's weights: a checkpoint, or one network of a folder."""
    _convert(Path(source), Path(target), _weights)


def _convert(source: Path, target: Path, chosen: Callable[[Any], dict[str, Tensor]]) -> None:
    from safetensors.torch import save_file

    if target.exists():
        _give_up(f"{target} exists already: move it away first.")
    tensors = chosen(_load(source))
    if not tensors:
        _give_up(f"{source} holds no weights of the kind that was expected.")
    part = target.with_name(f".{target.name}.part")
    try:
        save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, part)
        part.rename(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        _give_up(f"{target} can't be written: {error.strerror or error}.")
    print(target)


def _load(source: Path) -> Any:
    import torch

    try:
        # An open file: given a name, torch would go by its ending.
        with open_regular(source) as file, torch.serialization.safe_globals([torch.nn.ParameterDict]):
            return torch.load(file, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        _give_up(f"There is no file {source}.")
    except Exception as error:  # whatever a stranger's file makes of torch's reader
        named = re.search(r"GLOBAL [\w.]+", str(error))
        why = f" ({named[0]})" if named else ""
        _give_up(f"{source} holds more than weights{why}, or is damaged: get it as .safetensors.")


def _rows(content: Any) -> dict[str, Tensor]:
    """The rows of a learned word, float32, under the names that ``embedding_file`` reads."""
    import torch

    if isinstance(content, torch.Tensor):
        return {"emb_params": content.float()}
    learned = content.get("string_to_param", content) if isinstance(content, Mapping) else content
    if isinstance(learned, torch.nn.ParameterDict):  # its own mapping is missing in files before torch 1.12
        learned = learned.__dict__["_parameters"]
    found = _tensors(learned)
    for pair in PAIRS:
        if all(key in found for key in pair):
            return {key: found[key].float() for key in pair}
    if len(found) > 1:
        _give_up(f"It holds {len(found)} words ({', '.join(map(str, found))}): convert them one by one.")
    return {_key(name): rows.float() for name, rows in found.items()}


def _key(name: str) -> str:
    word = name.strip("<>")
    return "emb_params" if name in (NO_NAME, "emb_params") or not word else f"<{word}>"


def _weights(content: Any) -> dict[str, Tensor]:
    return _tensors(content.get("state_dict", content) if isinstance(content, Mapping) else content)


def _tensors(content: Any) -> dict[str, Tensor]:
    import torch

    items = content.items() if isinstance(content, Mapping) else ()
    return {str(name): value for name, value in items if isinstance(value, torch.Tensor)}


def _give_up(why: str) -> NoReturn:
    sys.exit(f"Error: {why}")
