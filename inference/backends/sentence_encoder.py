"""Sentence vectors from a BERT-like encoder: mean of the token vectors, scaled to unit length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel, AutoTokenizer

from core.exceptions import PermanentError
from inference.backends import torch_runtime
from inference.contracts import TextEncoder


class SentenceEncoder(TextEncoder):
    """Mean pooling + L2 norm, as all-MiniLM-L6-v2 was trained.

    Options: `dtype`, `device`, `batch_size`, `max_tokens`.
    """

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        if directory is None:
            raise PermanentError("the back end sentence_encoder needs an artefact", hint="Register a model directory.")
        self.device, self.dtype = torch_runtime.pick({"dtype": "float32", **options})
        self.tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            directory, dtype=self.dtype, local_files_only=True, trust_remote_code=False, use_safetensors=True
        )
        self.model = model.to(self.device).eval()
        self.dimension = int(self.model.config.hidden_size)
        self.max_tokens = int(options.get("max_tokens") or min(256, self.model.config.max_position_embeddings))

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return an array of shape (len(texts), dimension), rows of L2 norm 1; longer texts are cut at `max_tokens`."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if not texts:
            return vectors
        encoded = self.tokenizer(list(texts), truncation=True, max_length=self.max_tokens)
        lengths = [len(ids) for ids in encoded["input_ids"]]
        for batch in torch_runtime.batches_by_length(lengths, size=torch_runtime.batch_size(self.options)):
            inputs = self.tokenizer.pad(
                {name: [values[i] for i in batch] for name, values in encoded.items()}, return_tensors="pt"
            ).to(self.device)
            hidden = self.model(**inputs).last_hidden_state.float()
            mask = inputs["attention_mask"].unsqueeze(-1).float()
            pooled = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1e-9)
            vectors[batch] = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
        return vectors
