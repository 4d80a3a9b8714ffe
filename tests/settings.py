"""The product's settings plus the scripted back ends, for worker processes that tests start."""

from ecomsite.settings import *  # noqa: F403
from ecomsite.settings import INFERENCE

INFERENCE["BACKENDS"] |= {"scripted": "tests.backends.Scripted", "word_count": "tests.backends.WordCount"}
CELERY_IMPORTS = ("tests.faults.failing",)
