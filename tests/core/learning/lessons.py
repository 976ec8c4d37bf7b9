"""A short lesson from noise, and what a model consists of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from palimpsest.core.learning.learn import Lesson, learn
from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.views import View, ViewSettings, encode_views
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish

QUICK = LearnSettings(steps=5, warmup=2, exam_every=2, exam_size=2, batch=2)
LESSON = Lesson("<toy>", "cat", vectors=2, seed=3)


SQUARES = ((64, 64),) * 3


def some_views(model: DiffusionModel, shapes: tuple[tuple[int, int], ...] = SQUARES) -> tuple[View, ...]:
    rng = np.random.default_rng(0)
    pictures = [rng.random((*shape, 3), np.float32) for shape in shapes]
    return finish(encode_views(model, pictures, [None] * len(shapes), ViewSettings(per_picture=2)))


def parameters(model: DiffusionModel) -> Iterator[Tensor]:
    for network in (model.network.module, model.vae, *(part.encoder for part in model.text)):
        yield from network.state_dict().values()


def run(
    model: DiffusionModel, settings: LearnSettings = QUICK, lesson: Lesson = LESSON
) -> tuple[Tensor, ...]:
    return finish(learn(model, some_views(model), lesson, settings)).concept.rows
