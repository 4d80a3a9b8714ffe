"""The product's settings plus the scripted back ends, for worker processes that tests start."""

from dataclasses import replace

from ecomsite.settings import *  # noqa: F403
from ecomsite.settings import INFERENCE as OF_THE_PRODUCT

SCRIPTED = {"scripted": "tests.backends.Scripted", "word_count": "tests.backends.WordCount"}
INFERENCE = replace(OF_THE_PRODUCT, backends={**OF_THE_PRODUCT.backends, **SCRIPTED})
CELERY_IMPORTS = ("tests.faults.failing",)
