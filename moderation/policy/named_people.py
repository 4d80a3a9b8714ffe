"""Names of people and places in copy, by Presidio with a spaCy model; only where the settings name a model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from django.conf import settings

from core.exceptions import PermanentError
from moderation.policy.base import Check, Draft, Hit, Severity
from moderation.policy.folding import fold
from moderation.policy.words import words_of

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

_MESSAGES: Final = {"PERSON": "The name of a person.", "LOCATION": "The name of a place."}
_CODES: Final = {"PERSON": "person_name", "LOCATION": "place_name"}


class NamedPeopleCheck(Check):
    """What Presidio adds to our own rules: names.

    Its patterns for numbers find nothing that ours miss, so they stay out.

    Loads Presidio, spaCy and the model at the first draft, some seconds and 500 MB. English only.
    """

    name = "named_people"

    def __init__(self) -> None:
        self.version = f"1+{settings.PERSONAL_DATA.spacy_model.rsplit('/', 1)[-1]}"[:20]

    def find(self, draft: Draft) -> list[Hit]:
        """Return a warning for each name that neither title, brand nor a fact has.

        Raises where the model is missing.
        """
        if not draft.locale.lower().startswith("en"):
            return []
        own = set(words_of(" ".join((draft.title, draft.brand, *(fact.value for fact in draft.facts)))).words)
        found = _engine(settings.PERSONAL_DATA.spacy_model).analyze(
            draft.text, language="en", entities=list(_CODES), score_threshold=0.5
        )
        return [
            Hit(_CODES[item.entity_type], Severity.WARN, _MESSAGES[item.entity_type], item.start, item.end)
            for item in sorted(found, key=lambda item: (item.start, item.end))
            if not set(words_of(fold(draft.text[item.start : item.end]).text).words) <= own
        ]


@lru_cache(maxsize=1)
def _engine(model: str) -> AnalyzerEngine:
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer

    # Its list of domain endings comes with the package; by itself it would fetch a newer one from the network.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    try:
        pipeline = spacy.load(model)
    except OSError as exc:
        raise PermanentError(
            f"There is no spaCy model {model}.", hint="Install it, or set PERSONAL_DATA_SPACY_MODEL to its directory."
        ) from exc
    # Presidio would download a model that it does not know; one that is loaded already it takes as it is.
    engine = SpacyNlpEngine(
        models=[{"lang_code": "en", "model_name": model}],
        ner_model_configuration=NerModelConfiguration(
            model_to_presidio_entity_mapping={"PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION"}
        ),
    )
    engine.nlp = {"en": pipeline}  # type: ignore[assignment]  # it declares None and means a dictionary
    registry = RecognizerRegistry(recognizers=[SpacyRecognizer(supported_entities=list(_CODES))])
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])
