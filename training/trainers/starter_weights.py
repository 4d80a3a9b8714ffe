"""The weights of the starter adapter: stored in half precision, and merged into the model they were trained on."""

from __future__ import annotations

import json
from pathlib import Path

import peft
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
# What merging needs of peft's configuration; paths and versions of the machine that trained stay out.
KEPT = ("peft_type", "task_type", "r", "lora_alpha", "lora_dropout", "target_modules", "bias", "fan_in_fan_out")


def halve(adapter: Path, into: Path) -> None:
    """Write the LoRA in `adapter` to `into` in float16, with the part of its configuration that merging needs."""
    into.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.to(torch.float16).contiguous() for name, weight in load_file(adapter / WEIGHTS).items()}
    save_file(weights, into / WEIGHTS, metadata={"format": "pt"})
    config = json.loads((adapter / CONFIG).read_text(encoding="utf-8"))
    config["target_modules"] = sorted(config["target_modules"])
    kept = {name: config[name] for name in KEPT}
    (into / CONFIG).write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def merge(directory: Path, adapter: Path) -> None:
    """Replace the model in `directory` by itself with the LoRA of `adapter` merged into its weights."""
    model = AutoModelForCausalLM.from_pretrained(
        directory, dtype=torch.float32, local_files_only=True, trust_remote_code=False, use_safetensors=True
    )
    dtype = json.loads((directory / "config.json").read_text(encoding="utf-8")).get("dtype") or "float32"
    merged = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()
    merged.to(getattr(torch, dtype)).save_pretrained(directory, safe_serialization=True)
