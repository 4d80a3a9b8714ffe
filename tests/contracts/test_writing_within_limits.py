"""What back ends make of a prompt's limits: the real model keeps to them and to its seed, an endpoint is told them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from core.exceptions import PermanentError
from inference import prompts
from inference.backends.causal_lm import CausalLM
from inference.backends.openai_compatible import OpenAICompatible
from inference.contracts import CopyBrief, Fact, GenerationParams, Prompt
from inference.writing import limits
from inference.writing.grammars import as_regex
from moderation.drafting.writing import prompt_for
from tests.model_store import PreparedModels

BRIEFS = [
    CopyBrief(
        "description", "en", "Tarn Oak Bowl", "Tarn", "Kitchen", [Fact("Weight", "480 g"), Fact("Width", "24 cm")]
    ),
    CopyBrief(
        "description", "en", "Fell Wool Throw", "Fell", "Bedding", [Fact("Length", "180 cm"), Fact("Colour", "grey")]
    ),
    CopyBrief(
        "description", "en", "Beck Lamp", "Beck", "Lighting", [Fact("Power", "7 W"), Fact("Cable length", "1.8 m")]
    ),
]


class Kept(BaseHTTPRequestHandler):
    """Keeps the body of each request, and answers with one text."""

    bodies: list[dict[str, Any]] = []

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = {"choices": [{"message": {"content": "A bowl."}, "finish_reason": "stop"}]}
        said = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[dict[str, Any]]:
    Kept.bodies = []
    with HTTPServer(("127.0.0.1", 0), Kept) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield {"base_url": f"http://127.0.0.1:{listening.server_port}/v1", "model": "m"}
        listening.shutdown()
        thread.join()


def asked(brief: CopyBrief = BRIEFS[0]) -> Prompt:
    prompt = prompt_for(brief, constraints=limits.VERSION)
    assert isinstance(prompt, Prompt)
    return prompt


def test_an_endpoint_is_told_the_limits_where_it_is_said_how(server: dict[str, Any]) -> None:
    params = GenerationParams(constraints=limits.VERSION)
    model = OpenAICompatible(directory=None, options={**server, "guided": "vllm_structured_outputs"})
    model.generate([asked()], params)
    model.generate([asked()], replace(params, constraints=0))
    OpenAICompatible(directory=None, options=server).generate([asked()], params)
    guided, off, plain = Kept.bodies
    assert guided["structured_outputs"] == {"regex": as_regex(asked().limits)}
    assert guided["messages"] == off["messages"] == plain["messages"]
    assert "structured_outputs" not in off
    assert "structured_outputs" not in plain


def test_a_way_of_guiding_that_no_server_has_is_refused() -> None:
    options = {"base_url": "http://127.0.0.1:9/v1", "model": "m", "guided": "wishes"}
    with pytest.raises(PermanentError, match="guided"):
        OpenAICompatible(directory=None, options=options)


@pytest.mark.model
@pytest.mark.slow("the shipped model writes, alone and in a batch")
@pytest.mark.django_db
def test_the_shipped_writer_keeps_to_the_facts_alone_as_in_a_batch(prepared_models: PreparedModels) -> None:
    """Warm enough to invent: each text is within its limits piece by piece, and does not depend on its neighbours."""
    folder = prepared_models.folders["copywriter"]
    model = CausalLM(directory=folder, options={"dtype": "float32", "device": "cpu"})
    params = prompts.params_for(
        "description",
        seed=11,
        overrides={"temperature": 0.9, "constraints": limits.VERSION, "max_new_tokens": 16},
    )
    orders = [asked(brief) for brief in BRIEFS]
    together = model.generate(orders, params)
    alone = [model.generate([order], replace(params, seed=11 + i))[0] for i, order in enumerate(orders)]
    assert [one.text for one in together] == [one.text for one in alone]
    assert [one.seed for one in together] == [one.seed for one in alone]
    for one, order in zip(together, orders, strict=True):
        said = ""
        for token in model.tokenizer.encode(one.text, add_special_tokens=False):
            piece = model.tokenizer.decode([token])
            assert order.limits.allows(said, piece), said + piece
            said += piece
