"""Text generation behind an OpenAI-compatible endpoint: vLLM, TGI, llama.cpp server, `transformers serve`, a provider.

One HTTP client covers them all, because they all speak POST /chat/completions. They batch what arrives together, so
the prompts of a call are sent side by side.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import http
from core.exceptions import PermanentError
from inference.contracts import Generation, GenerationParams, Message, TextGenerator, limits_of, never
from inference.writing.grammars import Guide, guided

TIMEOUT_S = 120.0  # for one answer
LOOK_S = 0.2  # how soon it is noticed that nobody waits any more
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class EndpointOptions(BaseModel):
    """Options of the back end, kept with the model version.

    A key is never among them: only the name of its variable.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    base_url: str = Field(pattern=r"^https?://[^\s@?#]+$", description="up to and with /v1")
    model: str = Field(min_length=1, max_length=300)
    api_key_env: str = Field(
        default="",
        # Anything else could send one of our own secrets to the endpoint.
        pattern=r"^(INFERENCE_API_KEY(_[A-Z0-9_]+)?)?$",
    )
    prompt: str = Field(default="", description="the version of the prompt (`inference.prompts.version_for`)")
    concurrency: int = Field(default=8, ge=1, le=64)
    attempts: int = Field(default=3, ge=1, le=10)
    parameters: list[Literal["repetition_penalty", "no_repeat_ngram_size"]] = Field(
        default_factory=list, description="decoding parameters beyond OpenAI's that this server knows"
    )
    body: dict[str, Any] = Field(default_factory=dict, description="constant additions to the request")
    guided: Guide | None = Field(default=None, description="how this server is told to keep to the facts' numbers")
    constrained: bool = Field(default=True, description="copy is held to its facts: by the server, and by the judge")
    tries: int = Field(default=0, ge=0, le=8, description="how often a text with a fault is asked for at most")


class _AnswerMessage(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _AnswerMessage
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class _Answer(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class OpenAICompatible(TextGenerator):
    """Every prompt is a request of its own; at most `concurrency` are under way at once.

    `seed` is sent with each; whether equal seeds give equal texts is up to the server. Token counts are the server's,
    0 where it tells none. Limits of a prompt go to the server where the option `guided` says how it takes them;
    elsewhere texts are asked for again when the judge finds fault with them, `tries` times at most.
    """

    tries = 3

    def __init__(self, *, directory: Path | None, options: Mapping[str, Any]) -> None:
        super().__init__(directory=directory, options=options)
        try:
            self.endpoint = EndpointOptions.model_validate(dict(options))
        except ValidationError as exc:
            first = exc.errors()[0]
            raise PermanentError(f"endpoint option {'.'.join(map(str, first['loc']))}: {first['msg']}") from exc
        self.timeout_s = TIMEOUT_S
        self.url = self.endpoint.base_url.rstrip("/") + "/chat/completions"
        self.host = httpx.URL(self.url).host
        self.headers = self._headers()
        self.session = http.client(timeout_s=self.timeout_s, connections=self.endpoint.concurrency)

    def _headers(self) -> dict[str, str]:
        name = self.endpoint.api_key_env
        if not name:
            return {}
        key = os.environ.get(name, "").strip()
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            raise PermanentError(
                f"the environment variable {name} holds no key for {self.host}",
                hint=f"Set {name} for the workers and start them again.",
            )
        if not self.url.startswith("https://") and self.host not in LOOPBACK:
            raise PermanentError(f"the key in {name} is not sent to {self.host} in the clear", hint="Use https://.")
        return {"Authorization": f"Bearer {key}"}

    def generate(
        self, prompts: Sequence[Sequence[Message]], params: GenerationParams, *, seeds: Sequence[int] | None = None
    ) -> list[Generation]:
        """Return one `Generation` for each prompt, in order; prompt i carries its seed.

        Raises `TransientError` when the endpoint stays away or busy, `PermanentError` when it refuses a request or
        answers with something else than a chat completion. One failure fails the call, once all answers are in.
        """
        results = dict(chain.from_iterable(self.as_completed(prompts, params, seeds=seeds)))
        return [results[i] for i in range(len(prompts))]

    def as_completed(
        self,
        prompts: Sequence[Sequence[Message]],
        params: GenerationParams,
        *,
        seeds: Sequence[int] | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[list[tuple[int, Generation]]]:
        """Yield each answer as it comes in. Cancelled, it waits for no other."""
        if not prompts or cancelled():
            return
        seeds = self.seeds_of(prompts, params, seeds)
        error: BaseException | None = None
        pool = ThreadPoolExecutor(max_workers=min(self.endpoint.concurrency, len(prompts)))
        try:
            asked = {pool.submit(self._ask, prompt, params, seeds[i]): i for i, prompt in enumerate(prompts)}
            open_, since = set(asked), time.perf_counter()
            while open_ and not cancelled():
                done, open_ = wait(open_, timeout=LOOK_S, return_when=FIRST_COMPLETED)
                good = [future for future in done if not future.exception()]
                error = error or next((future.exception() for future in done if future.exception()), None)
                if good:
                    now = time.perf_counter()
                    share, since = (now - since) / len(good), now
                    yield [(asked[f], self._generation(f.result(), seeds[asked[f]], share)) for f in good]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if error is not None:
            raise error

    def _ask(self, prompt: Sequence[Message], params: GenerationParams, seed: int) -> _Answer:
        body: dict[str, Any] = {
            **self.endpoint.body,
            **self._guided(prompt, params),
            "model": self.endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt],
            "max_tokens": params.max_new_tokens,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "seed": seed,
            "stream": False,
            **{name: getattr(params, name) for name in self.endpoint.parameters},
        }
        raw = http.request_json(
            self.session,
            "POST",
            self.url,
            body=body,
            headers=self.headers,
            timeout_s=self.timeout_s,
            attempts=self.endpoint.attempts,
        )
        try:
            return _Answer.model_validate(raw)
        except ValidationError as exc:
            raise PermanentError(
                f"{self.host} answered with something that is no chat completion",
                hint="base_url must end where /chat/completions begins, mostly in /v1.",
            ) from exc

    def _guided(self, prompt: Sequence[Message], params: GenerationParams) -> dict[str, Any]:
        limits = limits_of(prompt, params)
        return guided(limits, self.endpoint.guided) if limits and self.endpoint.guided else {}

    def _generation(self, answer: _Answer, seed: int, seconds: float) -> Generation:
        choice, usage = answer.choices[0], answer.usage or _Usage()
        reason: Literal["stop", "length", "error"] = "error"  # a content filter, a tool call: no usable text
        if choice.finish_reason in ("stop", "length") and choice.message.content:
            reason = "stop" if choice.finish_reason == "stop" else "length"
        return Generation(
            text=(choice.message.content or "").strip(),
            finish_reason=reason,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            seed=seed,
            seconds=seconds,
            device=f"endpoint {self.host}",
        )
