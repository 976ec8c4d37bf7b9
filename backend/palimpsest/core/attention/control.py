"""Attention control: what every attention layer does while an edit is sampled, put together from ``cross``,
``injection``, ``key_mask`` and ``region_words``.

with network.attending(control):
    control.begin(step, rows)
    network(...)

The photo's queries and keys come from its row of the batch, or from a record of them (``record.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from palimpsest.core.attention.fused import Fused, probabilities
from palimpsest.core.attention.injection import injected
from palimpsest.core.attention.key_mask import KeyMask, outward
from palimpsest.core.attention.maps import Levels, WordMaps, cells_of
from palimpsest.core.attention.record import Layers, Looked
from palimpsest.core.attention.region_words import bias_of
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.networks import Size

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Rows:
    """What each row of the network's batch is. Rows not named here are left alone."""

    targets: tuple[int, ...]  # conditional, one per target
    source: int | None = None  # conditional; None also where ``begin`` is given what it saw
    nulls: tuple[int, ...] = ()  # unconditional, one per target


class AttentionControl:
    """What is done to attention, and what is read from it. ``begin`` says which step comes next.

    What layers of one size share is made once and kept on the device: where each layer asked the device for
    a number or sent it one, it would wait for all that was queued before.
    """

    def __init__(self, targets: Sequence[TargetControl], steps: int, levels: Levels) -> None:
        self.targets = tuple(targets)
        self.steps = steps
        self.levels = levels
        self.fused = Fused()
        self.source_maps: list[WordMaps] = []
        self.target_maps: list[list[WordMaps]] = [[] for _ in self.targets]
        self.step = 0
        self.rows = Rows(())
        self._source: Iterator[Looked] | None = None
        self._kept: dict[Hashable, Any] = {}

    def begin(self, step: int, rows: Rows, source: Layers | None = None) -> None:
        """``source``: what the source saw at every layer, where it isn't in the batch."""
        self.step, self.rows = step, rows
        self._source = None if source is None else iter(source)

    def needs_source(self, step: int) -> bool:
        """Whether the source is needed: some target attends like it, or its maps are read."""
        active = any(t.follows(step) or t.self_control.active(step, self.steps) for t in self.targets)
        return active or bool(self.source_maps)

    @property
    def stores(self) -> tuple[WordMaps, ...]:
        """All maps that are read, the source's first."""
        return (*self.source_maps, *(store for stores in self.target_maps for store in stores))

    def cross(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """Cross-attention of the whole batch."""
        source = self._looked(q, k)
        self._read_maps(q, k, scale, source)
        controlled = {
            row: target
            for row, target in zip(self.rows.targets, self.targets, strict=True)
            if target.cross_active(self.step) or target.region_words
        }
        out = self._plain(q, k, v, scale, [r for r in range(len(q)) if r not in controlled])
        size = self.levels.size_of(q.shape[2])
        for row, target in controlled.items():
            at = slice(row, row + 1)
            bias = self._bias(target, size, k.shape[2], q.device)
            if target.cross_active(self.step):
                out[at] = self.fused.cross(source, (q[at], k[at], v[at]), scale, target, self.step, bias)
            else:
                out[at] = self.fused.attend(q[at], k[at], v[at], scale, bias)
        return out

    def self_attention(self, q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
        """Self-attention of the whole batch."""
        source, share = self._looked(q, k), self.levels.share(q.shape[2])
        following = [
            (row, target)
            for row, target in zip(self.rows.targets, self.targets, strict=True)
            if target.self_control.active(self.step, self.steps) and target.self_control.reaches(share)
        ]
        replaced = {row for row, target in following if target.self_control.free is None}
        out = self._plain(q, k, v, scale, [r for r in range(len(q)) if r not in replaced])
        for row, target in following:
            at = slice(row, row + 1)
            assert source is not None, "nothing is known of the source"
            like_source = self.fused.attend(*source, v[at], scale)
            free = target.self_control.free
            out[at] = injected(out[at], like_source, None if free is None else self._cells(free, q))
        self._mask_keys(q, k, v, scale, out)
        return out

    def _mask_keys(self, q: Tensor, k: Tensor, v: Tensor, scale: float, out: Tensor) -> None:
        """Pixels inside a masked region look only outside it; the unconditional rows likewise."""
        share = self.levels.share(q.shape[2])
        for i, target in enumerate(self.targets):
            mask = target.key_mask
            if mask is None or not mask.active(self.step, self.steps, share):
                continue
            inside, outside = self._parted(mask, q)
            if not len(inside) or not len(outside):
                continue
            for row in (self.rows.targets[i], *self.rows.nulls[i : i + 1]):
                at = slice(row, row + 1)
                out[at, :, inside] = outward(self.fused, q[at], k[at], v[at], scale, inside, outside)

    def _plain(self, q: Tensor, k: Tensor, v: Tensor, scale: float, rows: list[int]) -> Tensor:
        if len(rows) == len(q):
            return self.fused.attend(q, k, v, scale)
        out = torch.empty_like(q)
        if rows:
            at = self._once(("rows", tuple(rows), q.device), lambda: torch.tensor(rows, device=q.device))
            out[at] = self.fused.attend(q[at], k[at], v[at], scale)
        return out

    def _cells(self, region: Tensor, q: Tensor) -> Tensor:
        """Those cells of a layer that a latent region of a target touches, (pixels,) of bool."""
        size = self.levels.size_of(q.shape[2])
        return self._once(("cells", id(region), size, q.device), lambda: cells_of(region, size).to(q.device))

    def _parted(self, mask: KeyMask, q: Tensor) -> tuple[Tensor, Tensor]:
        """The numbers of the cells that the mask's region touches, and of those that they may look at."""
        cells = self._cells(mask.region, q)

        def part() -> tuple[Tensor, Tensor]:
            inside, outside = cells.nonzero()[:, 0], (~cells).nonzero()[:, 0]
            if mask.unseen is None:
                return inside, outside
            seen = (~cells & ~self._cells(mask.unseen, q)).nonzero()[:, 0]
            return inside, seen if len(seen) else outside

        return self._once(("parted", id(mask), len(cells), q.device), part)

    def _bias(self, target: TargetControl, size: Size, tokens: int, device: torch.device) -> Tensor | None:
        return self._once(
            ("bias", id(target), size, tokens, device),
            lambda: bias_of(target.region_words, size, tokens, device),
        )

    def _once(self, key: Hashable, make: Callable[[], Kept]) -> Kept:
        """What ``make`` gave when it was first asked for. Regions and targets live as long as this does."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def _looked(self, q: Tensor, k: Tensor) -> Looked | None:
        """The source's queries and keys at the layer that is computed now; asked once at each."""
        if self._source is not None:
            return next(self._source)
        if self.rows.source is None:
            return None
        at = slice(self.rows.source, self.rows.source + 1)
        return q[at], k[at]

    def _read_maps(self, q: Tensor, k: Tensor, scale: float, source: Looked | None) -> None:
        size = self.levels.size_of(q.shape[2])
        readers = [] if source is None else [(source[0][0], source[1][0], self.source_maps)]
        rows = zip(self.rows.targets, self.target_maps, strict=True)
        readers += [(q[row], k[row], stores) for row, stores in rows]
        for queries, keys, stores in readers:
            wanted = [store for store in stores if store.size == size]
            if wanted:
                seen = probabilities(queries, keys, scale)  # (heads, pixels, tokens)
                for store in wanted:
                    store.add(seen)
