"""Options that several commands share, and how their values are written."""

from __future__ import annotations

import argparse
from pathlib import Path

from palimpsest.contract import BUILT_IN, InversionSettings, Window


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        default=BUILT_IN,
        metavar="MODEL",
        help="name or path of a Stable Diffusion 1.x, 2.x or SDXL model: a folder in the diffusers layout or "
        "a .safetensors checkpoint (default: the built-in model)",
    )
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, cuda:1, mps (default: the fastest)")
    parser.set_defaults(model_needed=True)


def add_local(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--local",
        action="store_true",
        help="do it in this process, even if a server runs",
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output", type=Path, default=Path(), metavar="FOLDER", help="where results go (default: here)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace results that are there already")


def add_reporting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of paths")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def add_inversion(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how the photo is remembered")
    group.add_argument(
        "--method",
        choices=("direct", "null-text", "ddim"),
        default="direct",
        help="direct: fast and exact outside the change; null-text: as published by Mokady et al.; "
        "ddim: plain, for comparison (default: direct)",
    )
    group.add_argument("--steps", type=int, metavar="N", help="sampling steps (default: the model's)")
    group.add_argument("--guidance", type=float, metavar="W", help="guidance (default: the model's)")
    group.add_argument(
        "--inner-steps", type=int, default=10, metavar="N", help="null-text only (default: 10)"
    )
    group.add_argument(
        "--working-size", type=int, metavar="PIXELS", help="long side the model works at (default: native)"
    )


def inversion_settings(options: argparse.Namespace) -> InversionSettings:
    return InversionSettings(
        method=options.method,
        steps=options.steps,
        guidance=options.guidance,
        inner_steps=options.inner_steps,
        working_size=options.working_size,
    )


def window(text: str) -> Window:
    """``0.8`` is from the first step to 80 % of them; ``0.2:0.8`` begins later."""
    begin, _, end = text.rpartition(":")
    return _number(begin) if begin else 0.0, _number(end)


def pair(text: str) -> tuple[str, str]:
    """``cat=<my-toy>``."""
    left, sign, right = text.partition("=")
    if not sign or not left.strip() or not right.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form WORD=WORD")
    return left.strip(), right.strip()


def weight(text: str) -> tuple[str, float]:
    """``snow=2``."""
    word, factor = pair(text)
    return word, _number(factor)


def word_window(text: str) -> tuple[str, Window]:
    """``snow=0.4``."""
    word, part = pair(text)
    return word, window(part)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
