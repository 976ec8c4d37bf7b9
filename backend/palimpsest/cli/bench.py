"""``palimpsest bench``: measure the product and its model. Each benchmark loads what it needs when run."""

from __future__ import annotations

import argparse
from typing import Any

from palimpsest.bench import server
from palimpsest.bench.model_options import add_arguments


def add_parser(subparsers: Any) -> None:
    """Add ``bench`` with its benchmarks to the commands; nothing heavy is imported."""
    bench = subparsers.add_parser("bench", help="measure the product and its model")
    kinds = bench.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    add_model(kinds)
    add_server(kinds)


def add_model(kinds: Any) -> None:
    parser = kinds.add_parser("model", help="prompt adherence, autoencoder loss and word maps of a model")
    add_arguments(parser)
    parser.set_defaults(run=run_model)


def run_model(options: argparse.Namespace) -> int:
    from palimpsest.bench.model import run

    return run(options)


def add_server(kinds: Any) -> None:
    parser = kinds.add_parser("server", help="what the server itself costs, with jobs that only sleep")
    server.add_arguments(parser)
    parser.set_defaults(run=server.run)
