"""Read once what the examples of a batch begin with alike, and score labelled positions alone: the same loss.

Prompts of a channel share the instruction and the worked examples, four fifths of their tokens, and the two sides of a
preference share all of the prompt. The rows of a batch are laid out as one tree of tokens in which each token sees the
ones before it in its own row, and nothing else (for DPO: Wang, F. and Hegde, R. 2024, "Accelerating Direct Preference
Optimization with Prefix Sharing").
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from trl.trainer.utils import FusedCausalLMOutput

# The mask of a tree has the square of its tokens; beyond this it would be larger than what it saves.
MOST_NODES = 8192
# Where a configuration names one of these, the head does more than multiply: trl knows what.
OTHER_HEADS = (
    "final_logit_softcapping",
    "logit_scale",
    "output_multiplier",
    "lm_head_multiplier",
    "logits_scaling",
    "output_router_logits",
)
# How far answers may differ for rounding, by the weights' precision.
CLOSE = {torch.float32: 1e-4, torch.float16: 0.02, torch.bfloat16: 0.02}


@dataclass(frozen=True, eq=False)
class Tree:
    """The tokens of several rows, equal beginnings once: ids and depth (nodes,), `sees` (nodes, nodes), `places`
    (rows, width).
    """

    ids: torch.Tensor
    depth: torch.Tensor
    sees: torch.Tensor
    places: torch.Tensor


def tree_of(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Tree:
    """Return the tree of rows that are padded on the right; padding stands at the place of the first token."""
    nodes: dict[tuple[int, int], int] = {}
    ids, parents, depth = list[int](), list[int](), list[int]()
    places = np.zeros(tuple(input_ids.shape), dtype=np.int64)
    lengths = attention_mask.sum(dim=1).tolist()
    for row, tokens in enumerate(input_ids.tolist()):
        before = -1
        for place, token in enumerate(tokens[: lengths[row]]):
            node = nodes.setdefault((before, token), len(ids))
            if node == len(ids):
                ids.append(token)
                parents.append(before)
                depth.append(place)
            places[row, place] = before = node
    sees = np.zeros((len(ids), len(ids)), dtype=bool)
    for node, parent in enumerate(parents):  # a parent always comes before its children
        if parent >= 0:
            sees[node] = sees[parent]
        sees[node, node] = True
    device = input_ids.device
    as_tensor = {
        name: torch.as_tensor(value, device=device)
        for name, value in (("ids", ids), ("depth", depth), ("sees", sees), ("places", places))
    }
    return Tree(**as_tensor)


def share(model: Any) -> bool:
    """Let `model`, a causal language model that trl has given its fused head, read equal beginnings once, and score
    little.

    Returns whether it does: a model whose answers change (one that needs its tokens in a row) stays as it is.
    """
    if any(getattr(model.config.get_text_config(), name, None) for name in OTHER_HEADS):
        return False
    before, backbone = model.forward, model.base_model
    plain = backbone.forward
    backbone.forward = types.MethodType(_reading_once(plain), backbone)
    if not _agrees(backbone, plain, model.config.get_text_config().vocab_size):
        backbone.forward = plain
        return False
    if model.device.type == "cpu":  # on a GPU trl scores labelled positions alone
        model.forward = types.MethodType(_scoring_labels(before), model)
    return True


def _reading_once(plain: Any) -> Any:
    def forward(self: Any, input_ids: Any = None, attention_mask: Any = None, **given: Any) -> Any:
        is_batch = (
            input_ids is not None and attention_mask is not None and attention_mask.dim() == 2 and len(input_ids) > 1
        )
        if (
            not is_batch
            or given.get("use_cache")
            or given.get("position_ids") is not None
            or not bool(attention_mask[:, 0].all())
        ):
            return plain(input_ids=input_ids, attention_mask=attention_mask, **given)
        tree = tree_of(input_ids, attention_mask)
        if len(tree.ids) > MOST_NODES:
            return plain(input_ids=input_ids, attention_mask=attention_mask, **given)
        found = plain(
            input_ids=tree.ids[None], attention_mask=tree.sees[None, None], position_ids=tree.depth[None], **given
        )
        found.last_hidden_state = found.last_hidden_state[0][tree.places]
        return found

    return forward


def _scoring_labels(fused: Any) -> Any:
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, labels: Any = None, **given: Any) -> Any:
        if not fused_lm_head or labels is None:
            return fused(*args, fused_lm_head=fused_lm_head, labels=labels, **given)
        given.pop("num_items_in_batch", None)
        hidden = self.base_model(*args, **{**given, "use_cache": False}).last_hidden_state[:, :-1]
        targets, mask = labels[:, 1:], labels[:, 1:] != -100
        logits = self.get_output_embeddings()(hidden[mask]).float()
        every = logits.log_softmax(dim=-1)
        picked = every.gather(1, targets[mask][:, None])[:, 0]

        def spread(values: torch.Tensor) -> torch.Tensor:
            return values.new_zeros(mask.shape).masked_scatter(mask, values)

        with torch.no_grad():
            entropy, top = -(every.exp() * every).sum(dim=-1), logits.argmax(dim=-1) == targets[mask]
            mean = logits.mean(dim=-1)
        return FusedCausalLMOutput(
            loss=-picked.sum() / mask.sum().clamp(min=1),
            log_probs=spread(picked),
            entropy=spread(entropy),
            mean_logits=spread(mean),
            is_top1=spread(top),
            label_mask=mask,
        )

    return forward


@torch.no_grad()
def _agrees(backbone: Any, plain: Any, n_tokens: int) -> bool:
    """Return whether reading once gives what reading row by row does, on a small batch with a fork and padding."""
    was_training = backbone.training
    backbone.eval()
    rows = np.random.default_rng(0).integers(0, n_tokens, size=(3, 24))
    rows[1, :16] = rows[2, :16] = rows[0, :16]
    input_ids = torch.as_tensor(rows, device=backbone.device)
    attention_mask = torch.ones_like(input_ids)
    attention_mask[2, 20:] = 0
    try:
        once = backbone(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        apart = plain(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    except (RuntimeError, TypeError, ValueError):  # a model that takes no such mask
        return False
    finally:
        backbone.train(was_training)
    real = attention_mask.bool()
    gap = (once[real] - apart[real]).float().norm() / apart[real].float().norm()
    return bool(gap < CLOSE.get(apart.dtype, 0.0))
