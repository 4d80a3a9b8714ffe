"""Tables of the desk. Import the submodule that holds the one you need; this file is for Django's model loading."""

from moderation.models import candidates, queues, reviews  # noqa: F401  (Django finds models by importing `moderation.models`)
