"""The entry point of the web server: Django's own, behind a bridge that slow clients do not get across."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecomsite.settings")
django_application = get_wsgi_application()

# After the settings. The addresses and all behind them are loaded here, before the web's processes are forked, and not
# by whoever asks first.
import ecomsite.urls  # noqa: E402, F401
from ecomsite.errors import refusal  # noqa: E402
from ecomsite.web.bridge import Bridge  # noqa: E402
from ecomsite.web.lanes import lane_of  # noqa: E402

application = Bridge(django_application, lane_of=lane_of, refusal=refusal)
