"""The shipped models, prepared once per test session by the product's own code, and tiny models made on the spot."""

from __future__ import annotations

import functools
import json
import os
import pickle
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from audit.models import LedgerEntry
from inference import artifacts
from inference.models import ModelAlias
from tests import servers
from training.preparation import prepare


@dataclass(frozen=True)
class PreparedModels:
    """What `prepare` did on an empty database, and again on the database it had filled."""

    folders: dict[str, Path]
    champions: dict[str, str]
    ledger_actions: list[str]
    n_first: int
    n_second: int
    seconds_second: float


@pytest.fixture(scope="session")
def prepared_models(django_db_setup: None, django_db_blocker: Any) -> PreparedModels:
    """The shipped models; the artefacts stay in the session's store, the rows do not."""
    with django_db_blocker.unblock():
        return _prepare()


@functools.cache  # a session fixture that several conftests import runs once for each of them
def _prepare() -> PreparedModels:
    """Have the first process of the session that comes here prepare them; the others have its folders in their stores."""
    told = servers.root() / "prepared-models.pickle"
    with servers.lock("prepared-models"):
        if not told.exists():
            told.write_bytes(pickle.dumps(_prepare_twice()))
    prepared: PreparedModels = pickle.loads(told.read_bytes())
    prepared.folders.update(link_into(artifacts.root(), prepared))
    return prepared


def link_into(store: Path, prepared: PreparedModels) -> dict[str, Path]:
    """Put the prepared models into another store, as links: what is in a store never changes. Returns their folders."""
    folders = {role: store / folder.name for role, folder in prepared.folders.items()}
    for role, folder in folders.items():
        if not folder.exists():
            shutil.copytree(prepared.folders[role], folder, copy_function=os.link)
    return folders


def _prepare_twice() -> PreparedModels:
    """Run `prepare` twice in a transaction that is rolled back."""
    with transaction.atomic():
        first = prepare()
        started = time.perf_counter()
        second = prepare()
        seconds = time.perf_counter() - started
        prepared = PreparedModels(
            folders={version.role: artifacts.path_for(version.artifact_hash) for version in first},
            champions={a.role: a.version.name for a in ModelAlias.objects.select_related("version")},
            ledger_actions=list(LedgerEntry.objects.order_by("seq").values_list("action", flat=True)),
            n_first=len(first),
            n_second=len(second),
            seconds_second=seconds,
        )
        transaction.set_rollback(True)
    return prepared


WORDS = [
    "the",
    "mug",
    "is",
    "a",
    "steel",
    "blue",
    "one",
    "it",
    "holds",
    "350",
    "ml",
    "and",
    "weighs",
    "240",
    "g",
    ".",
    "good",
    "bad",
    "fine",
    "product",
    "data",
    "write",
]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<|im_start|>", "<|im_end|>"]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|> {{ m['role'] }} {{ m['content'] }} <|im_end|> {% endfor %}"
    "{% if add_generation_prompt %}<|im_start|> assistant {% endif %}"
)


def _tokenizer(folder: Path, *, chat: bool) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS, "system", "user", "assistant"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if not chat:
        tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        **({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"} if chat else {}),
    )
    if chat:
        fast.chat_template = CHAT_TEMPLATE
    fast.save_pretrained(folder)


def tiny_llama(folder: Path) -> Path:
    """Write a Llama with random weights (seed 0), two layers, that has a chat template."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    _tokenizer(folder, chat=True)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        bos_token_id=5,
        eos_token_id=6,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def tiny_bert(folder: Path, *, labels: tuple[str, ...] = ()) -> Path:
    """Write a BERT with random weights (seed 0); with `labels`, one that classifies."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    _tokenizer(folder, chat=False)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=64,
        id2label=dict(enumerate(labels)) or {0: "one", 1: "two"},
    )
    (BertForSequenceClassification(config) if labels else BertModel(config)).save_pretrained(folder)
    return folder


def read_json(path: Path) -> Any:
    """Return the parsed content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
