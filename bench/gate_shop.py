"""A shop in the database for one draw of an attack, taken back at its end: whose labels they are, and which are in doubt."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bench.gate_attacks import LABELS, ROTATED, Model, Texts, answers, fitted
from catalog.models import CustomerReview, Product
from core.actors import SystemActor
from core.refs import ref
from inference import resolver
from inference.models import ModelAlias, ModelVersion
from labeling import examples
from labeling.models import Label, LabelIssue, Vote
from training import approvals, curation, partition, registry, snapshots
from training.evaluation import gate, reports

KIND, TASK = "sentiment", "sentiment"
ACTOR = SystemActor("bench.gate")


class Shop:
    """Within `with`: labels come in, are spoilt or doubted, and a model that learnt from them is put before the gate."""

    def __enter__(self) -> Shop:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.champion = self._version(1)
        ModelAlias.objects.create(role=TASK, name="champion", version=self.champion)
        return self

    def __exit__(self, *exc: Any) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(*exc)

    def _version(self, number: int, **fields: Any) -> ModelVersion:
        return ModelVersion.objects.create(
            role=TASK, number=number, name="bench", backend="by_language", locales=["en"], **fields
        )

    def label(
        self, texts: Texts, places: Sequence[int], *, file: str = "", raters: Sequence[str] = (), rotate: bool = False
    ) -> None:
        """Let people label these texts; or a `file`, which may name raters, and may say something else of each (`rotate`)."""
        skus = {texts.products[place] for place in places}
        known = dict(Product.objects.filter(sku__in=skus).values_list("sku", "pk"))
        category = {texts.products[place]: texts.categories[place] for place in places}
        made = [
            Product(sku=sku, title=sku, category=category[sku], source="bench") for sku in sorted(skus - known.keys())
        ]
        known |= {product.sku: product.pk for product in Product.objects.bulk_create(made)}
        written = CustomerReview.objects.bulk_create(
            CustomerReview(
                pk=uuid.uuid5(uuid.NAMESPACE_OID, str(place)),
                external_id=f"r-{place}",
                text=texts.texts[place],
                product_id=known[texts.products[place]],
            )
            for place in places
        )
        said = [ROTATED[texts.labels[place]] if rotate else texts.labels[place] for place in places]
        now, method = timezone.now(), "majority" if raters else "import" if file else "single"
        about = {"question": KIND, "source": file or "label_studio"}
        Label.objects.bulk_create(
            Label(subject=ref(review), label=label, method=method, labelled_at=now, **about)
            for review, label in zip(written, said, strict=True)
        )
        Vote.objects.bulk_create(
            Vote(subject=ref(review), rater=rater, label=label, voted_at=now, **about)
            for review, label in zip(written, said, strict=True)
            for rater in raters
        )

    def subjects(self) -> list[str]:
        return sorted(Label.objects.values_list("subject", flat=True))

    def spoil(self, subjects: Sequence[str]) -> None:
        """Let people have said something else of these."""
        rows = list(Label.objects.filter(subject__in=subjects))
        for row in rows:
            row.label = ROTATED[row.label]
        Label.objects.bulk_update(rows, ["label"])

    def doubt(self, subjects: Sequence[str]) -> None:
        """Put the labels of these in doubt."""
        given = dict(Label.objects.filter(subject__in=subjects).values_list("subject", "label"))
        LabelIssue.objects.bulk_create(
            LabelIssue(question=KIND, subject=subject, given=label, score=0.1, methods=["combined"])
            for subject, label in given.items()
        )

    def rows(self) -> list[examples.Example]:
        return [item for item in curation.collect(TASK) if isinstance(item, examples.Example)]

    def parts(self) -> dict[str, list[Any]]:
        return dict(partition.split(TASK, list(curation.collect(TASK)))[0])

    def put_before_the_gate(self, old: Model, texts: Texts) -> tuple[bool, bool]:
        """Freeze, train, judge, release: return whether the new model serves, and whether people may let it."""
        snapshot = snapshots.freeze(TASK, actor=ACTOR)
        parts = snapshots.read_all(snapshot)
        new, tested = fitted(parts, texts, labels=LABELS), parts["test"]
        verdict = gate.judge(
            answers(new, tested, LABELS),
            answers(old, tested, LABELS),
            groups={"category": [row.category for row in tested]},
            rules=gate.as_rules(settings.TRAINING.gate),
            stated=snapshot.n_stated,
            labels=LABELS,
        )
        version = self._version(2, dataset_hash=snapshot.artifact_hash)
        report = reports.write(
            version, snapshot, champion=self.champion, gate_version=gate.GATE_VERSION, verdict=verdict, figures={}
        )
        registry.promote_if_passed(report)
        serves = resolver.find(TASK) == version
        return serves, not serves and approvals.may_replace(version)
