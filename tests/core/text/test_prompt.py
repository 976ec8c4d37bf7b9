"""Learned words in the text encoders: exact, frozen around them, and gone without a trace."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from palimpsest.core.concept import Concept
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import ConceptExistsError, ConceptIncompatibleError
from tiny import tiny_model
from tiny_edit import toy


def test_plain_words_are_encoded_as_the_encoders_do(model: DiffusionModel) -> None:
    with concepts_installed(model, [toy(model)]) as vocabulary:
        prompt = vocabulary.parse("a photo of a cat on grass")
        ours = vocabulary.encode([prompt])
    hidden = []
    for i, part in enumerate(model.text):
        text = part.tokenizer(prompt.text, padding="max_length", max_length=part.context_length)
        assert tuple(text["input_ids"]) == prompt.ids[i]
        output = part.encoder(torch.tensor([text["input_ids"]]), output_hidden_states=True)
        hidden.append(output.last_hidden_state if part.hidden_state == -1 else output.hidden_states[-2])
        if part.pooled:
            assert ours.pooled is not None
            assert torch.equal(ours.pooled, output.text_embeds)
    assert torch.equal(ours.context, torch.cat(hidden, -1))


def test_sdxl_is_told_the_pictures_size() -> None:
    with concepts_installed(tiny_model("sdxl"), []) as vocabulary:
        told = vocabulary.encode([vocabulary.parse("a cat")] * 2, size=(64, 96)).time_ids
    assert told is not None
    assert told.tolist() == [[64, 96, 0, 0, 64, 96]] * 2


def test_a_learned_word_equal_to_a_known_one_reads_the_same(model: DiffusionModel) -> None:
    tables = [part.encoder.get_input_embeddings().weight for part in model.text]
    ids = [part.tokenizer("cat", add_special_tokens=False)["input_ids"] for part in model.text]
    rows = tuple(table[i].clone() for table, i in zip(tables, ids, strict=True))
    with concepts_installed(model, [Concept("<copy>", rows, model.family)]) as vocabulary:
        texts = [f"a photo of a {word} on grass" for word in ("cat", "<copy>")]
        known, learned = (vocabulary.encode([vocabulary.parse(text)]) for text in texts)
    assert torch.equal(known.context, learned.context)
    if known.pooled is not None and learned.pooled is not None:
        assert torch.equal(known.pooled, learned.pooled)


def test_the_pooled_embedding_is_read_at_eos_although_learned_ids_are_larger() -> None:
    model = tiny_model("sdxl")
    encoder = model.text[1].encoder
    encoder.text_model.eos_token_id = 2  # the published configurations: the encoder pools at the largest id
    rows = tuple(
        part.encoder.get_input_embeddings().weight[part.tokenizer("cat")["input_ids"][1]][None].clone()
        for part in model.text
    )
    with concepts_installed(model, [Concept("<copy>", rows, "sdxl")]) as vocabulary:
        known, learned = (vocabulary.encode([vocabulary.parse(f"a {w} on grass")]) for w in ("cat", "<copy>"))
    assert known.pooled is not None
    assert learned.pooled is not None
    assert torch.equal(known.pooled, learned.pooled)


def test_gradients_reach_the_learned_rows_and_nothing_else(model: DiffusionModel) -> None:
    concept = toy(model)
    for row in concept.rows:
        row.requires_grad_(True)
    with concepts_installed(model, [concept]) as vocabulary:
        vocabulary.encode([vocabulary.parse("a photo of <my-toy>")]).context.square().sum().backward()
    assert all(row.grad is not None and bool((row.grad != 0).any(dim=1).all()) for row in concept.rows)
    assert all(p.grad is None for part in model.text for p in part.encoder.parameters())


def test_nothing_is_recorded_when_nothing_is_learned(model: DiffusionModel) -> None:
    with concepts_installed(model, [toy(model)]) as vocabulary:
        assert not vocabulary.encode([vocabulary.parse("a <my-toy>")]).context.requires_grad


@pytest.mark.parametrize("fails", [False, True])
def test_the_encoders_are_left_as_they_were(model: DiffusionModel, fails: bool) -> None:
    before = [{k: v.clone() for k, v in part.encoder.state_dict().items()} for part in model.text]
    tables = [part.encoder.get_input_embeddings() for part in model.text]

    def use() -> None:
        with concepts_installed(model, [toy(model)]) as vocabulary:
            vocabulary.encode([vocabulary.parse("a <my-toy>")])
            if fails:
                raise RuntimeError("in the middle")

    if fails:
        with pytest.raises(RuntimeError):
            use()
    else:
        use()
    for part, state, table in zip(model.text, before, tables, strict=True):
        assert part.encoder.get_input_embeddings() is table
        after = part.encoder.state_dict()
        assert after.keys() == state.keys()
        assert all(torch.equal(after[key], state[key]) for key in state)


def test_a_concept_of_another_family_or_width_is_refused(model: DiffusionModel) -> None:
    table = model.text[0].encoder.get_input_embeddings()
    for misfit in (
        replace(toy(model), family="other"),
        replace(toy(model), rows=tuple(row[:, 1:] for row in toy(model).rows)),
    ):
        with pytest.raises(ConceptIncompatibleError, match="<my-toy>"), concepts_installed(model, [misfit]):
            pass
    assert model.text[0].encoder.get_input_embeddings() is table


def test_two_concepts_of_one_name_are_refused(model: DiffusionModel) -> None:
    pair = [toy(model), toy(model, seed=6)]
    with pytest.raises(ConceptExistsError, match="<my-toy>"), concepts_installed(model, pair):
        pass


def test_a_checkpoint_may_take_zeros_for_the_empty_prompt(model: DiffusionModel) -> None:
    with concepts_installed(replace(model, zero_null=False), []) as vocabulary:
        assert vocabulary.null().context.abs().max() > 0
    with concepts_installed(replace(model, zero_null=True), []) as vocabulary:
        assert vocabulary.null().context.abs().max() == 0
