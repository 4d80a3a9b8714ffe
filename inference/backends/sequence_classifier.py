"""Text classification with a fine-tuned BERT-like model, in batches of like length."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.exceptions import PermanentError
from inference import several
from inference.backends import torch_runtime
from inference.contracts import Classification, TextClassifier

# On a core of its own a batch of 8 was fastest: 331 texts/s against 300 at 4 and 308 at 16.
CPU_BATCH = 8
# What cannot be merged into the weights, a prefix, lies beside them.
ADAPTER = "adapter"


class SequenceClassifier(TextClassifier):
    """Softmax over the model's labels (`id2label` of its configuration); a sigmoid of each where several hold.

    They may where the configuration says `multi_label_classification`; from which probability on each does stands in
    `several.json` (inference/several.py), half where there is none.

    Options: `labels` (own label -> ours), `dtype` (float32 unless said otherwise), `int8` (dynamic quantisation of the
    linear layers, CPU only), `device`, `batch_size`, `max_tokens`.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError(
                "the back end sequence_classifier needs an artefact", hint="Register a model directory."
            )
        self.device, self.dtype = torch_runtime.pick({"dtype": "float32", **options})
        self.tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            directory, dtype=self.dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
        if (directory / ADAPTER).is_dir():
            import peft  # 2 s, and few models have a prefix

            model = peft.PeftModel.from_pretrained(model, directory / ADAPTER, local_files_only=True)
        self.model = model.to(self.device).eval()
        names: Mapping[int, str] = self.model.config.id2label
        renamed: Mapping[str, str] = options.get("labels") or {}
        own = [names[i] for i in range(int(self.model.config.num_labels))]
        self.labels = [renamed.get(label, label) for label in own]
        self.is_several = self.model.config.problem_type == "multi_label_classification"
        self.bounds = several.read(directory, own) or []
        self.max_tokens = int(options.get("max_tokens") or min(256, self.model.config.max_position_embeddings))
        if options.get("int8"):
            self._quantise()
        on_cpu = self.device.type == "cpu" and "batch_size" not in options
        self.batch_size = CPU_BATCH if on_cpu else torch_runtime.batch_size(options)

    def _quantise(self) -> None:
        if self.device.type != "cpu" or self.dtype != torch.float32:
            raise PermanentError("int8 quantisation works on float32 models on the CPU", hint="Drop `dtype` or `int8`.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torchao, the successor, is not a dependency of ours
            quantise: Any = torch.ao.quantization.quantize_dynamic
            self.model = quantise(self.model, {torch.nn.Linear}, dtype=torch.qint8)

    def classify(self, texts: Sequence[str]) -> list[Classification]:
        """Return one `Classification` for each text, in order; longer texts are cut at `max_tokens`."""
        if not texts:
            return []
        encoded = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens)
        lengths = [len(ids) for ids in encoded["input_ids"]]
        batches = torch_runtime.batches_by_length(lengths, size=self.batch_size)

        @torch.inference_mode()
        def score(batch: list[int]) -> list[list[float]]:
            inputs = self.tokenizer.pad(
                {name: [values[i] for i in batch] for name, values in encoded.items()}, return_tensors="pt"
            ).to(self.device)
            # In double precision the probabilities add up to 1 to 15 digits.
            logits = self.model(**inputs).logits.double()
            probabilities: list[list[float]] = (logits.sigmoid() if self.is_several else logits.softmax(dim=1)).tolist()
            return probabilities

        rows: dict[int, list[float]] = {}
        for batch, scored in zip(
            batches, torch_runtime.each_on_a_core(score, batches, device=self.device), strict=True
        ):
            rows.update(zip(batch, scored, strict=True))
        if self.is_several:
            return [Classification.of_several(self.labels, rows[i], self.bounds) for i in range(len(texts))]
        return [Classification.of(self.labels, rows[i]) for i in range(len(texts))]
