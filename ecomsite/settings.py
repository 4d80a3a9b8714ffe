"""Settings: one file, every value from the environment with a default that works on the local stack.

Each name read here is described in docs/settings.md (a test keeps that complete).
"""

from __future__ import annotations

from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from kombu import Queue

from ecomsite import env
from ecomsite.access import (  # noqa: F401  (Django finds them here)
    ACCOUNTS,
    AUTH_PASSWORD_VALIDATORS,
    AUTHENTICATION_BACKENDS,
    LOGIN_URL,
    SESSION_COOKIE_AGE,
    SESSION_COOKIE_NAME,
    SESSION_ENGINE,
)
from ecomsite.asking import QUESTIONS, QUESTIONS_DIR, SUBJECTS  # noqa: F401  (Django finds them here)
from ecomsite.compliance import (  # noqa: F401  (Django finds them here)
    AI_MARK,
    APPEAL_DAYS,
    FACT_EVIDENCE,
    LEDGER,
    PERSONAL_DATA,
    POLICY_CHECKS,
    POLICY_RULES,
    STATEMENTS,
)
from ecomsite.console.theme import UNFOLD  # noqa: F401  (unfold reads it here)
from ecomsite.desk import MODERATION  # noqa: F401  (Django finds it here)
from ecomsite.door import labeling_of
from ecomsite.env import BASE_DIR, VAR_DIR
from ecomsite.experimenting import EXPERIMENTS  # noqa: F401  (Django finds it here)
from ecomsite.judging import JUDGE  # noqa: F401  (Django finds it here)
from ecomsite.learning import LABEL_CHECKS, LABEL_FILES, TRAINING  # noqa: F401  (Django finds them here)
from ecomsite.log_lines import LOGGING  # noqa: F401  (Django finds it here)
from ecomsite.serving import INFERENCE  # noqa: F401  (Django finds it here)
from ecomsite.webhooks import OUTBOX  # noqa: F401  (Django finds it here)
from ecomsite.work import LEASES  # noqa: F401  (Django finds it here)

# --- Web ---------------------------------------------------------------------------------------------------------
DEBUG = env.boolean("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY:
    # Before `manage.py up` has written var/stack.env there is no key yet. A random one lets set-up commands run and
    # cannot be guessed; sessions signed with it end with the process. System check ecomsite.E001 refuses to serve so.
    SECRET_KEY = get_random_secret_key()
    SECRET_KEY_IS_TEMPORARY = True
else:
    SECRET_KEY_IS_TEMPORARY = False
ECOMSITE_PORT = env.integer("ECOMSITE_PORT", 8000, minimum=1)
SITE_URL = env.text("SITE_URL", f"http://127.0.0.1:{ECOMSITE_PORT}").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", SITE_URL)
ROOT_URLCONF = "ecomsite.urls"
WSGI_APPLICATION = "ecomsite.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "ecomsite.apps.EcomsiteConfig",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_linear_migrations",
    "audit",
    "accounts",
    "outbox",
    "catalog",
    "inference",
    "labeling",
    "moderation",
    "questions",
    "storefront",
    "training",
    "monitoring",
]

MIDDLEWARE = [
    "ecomsite.shop.PastTheDesk",
    "django.middleware.security.SecurityMiddleware",
    "ecomsite.security.ContentSecurityPolicy",
    "ecomsite.errors.ExpectedErrors",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "ecomsite.security.CountRefusals",
    "ecomsite.security.RequireSecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "ecomsite" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Cookies ignore ports: under Django's default names Label Studio, on the same host, would log our users out.
CSRF_COOKIE_NAME = "ecomsite_csrf"
CSRF_FAILURE_VIEW = "ecomsite.errors.form_out_of_date"
HTTPS = env.boolean("HTTPS", default=SITE_URL.startswith("https://"))
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
# The embedded Label Studio knocks on 127.0.0.1 directly, past the proxy that ends TLS; its webhooks carry a secret.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^webhooks/"]
if env.boolean("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

PASSWORD_HASHERS = ["ecomsite.passwords.OneAtATime"]

# --- Database ----------------------------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", "postgresql://app@127.0.0.1:15432/ecomsite")
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"].get("ENGINE") != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL must name a PostgreSQL database: postgresql://user:password@host:port/name"
    )
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DATABASES["default"]["OPTIONS"].setdefault("application_name", "ecomsite")
# A process that is paused inside a transaction would hold its locks, the ledger's among them, for as long as it is.
DATABASES["default"]["OPTIONS"].setdefault("options", "-c idle_in_transaction_session_timeout=30s")

# --- Celery: a message is only a hint, Postgres is the queue of record (docs/adr/0001) ---------------------------
CELERY_BROKER_URL = env.text("CELERY_BROKER_URL", "redis://127.0.0.1:16379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
USES_RABBITMQ = CELERY_BROKER_URL.startswith(("amqp", "pyamqp"))
# RabbitMQ: replicated queues. One that comes back for the twentieth time is dropped (a hint, no work), and the longest
# task may hold its message for longer than RabbitMQ's own half hour (heeded from RabbitMQ 3.12 on).
QUEUE_ARGUMENTS = {"x-queue-type": "quorum", "x-delivery-limit": 20, "x-consumer-timeout": 7_200_000}
CELERY_TASK_QUEUES = [
    Queue(name, queue_arguments=QUEUE_ARGUMENTS if USES_RABBITMQ else None)
    for name in ("default", "external", "webhooks", "gpu", "training")
]
CELERY_TASK_ROUTES = {
    # One model, one process: everything that runs a model goes to the solo worker.
    "moderation.drain_generation": {"queue": "gpu"},
    "moderation.screen_candidates": {"queue": "gpu"},
    "moderation.score": {"queue": "gpu"},
    "moderation.explain": {"queue": "gpu"},
    "moderation.score_in_the_shadow": {"queue": "training"},
    "moderation.ask_judge": {"queue": "external"},
    # One file at a time: it takes minutes, and what is sent to Label Studio has the other process of that worker.
    "moderation.run_label_jobs": {"queue": "external"},
    # Whatever waits for Label Studio, so that a slow server there holds up nothing else.
    "labeling.*": {"queue": "external"},
    **{name: {"queue": "external"} for name in ("audit.stamp_head", "audit.verify_whole_ledger")},
    # Whatever waits for receivers of webhooks, who are many, and none of them ours.
    "outbox.*": {"queue": "webhooks"},
    "monitoring.check_marks": {"queue": "webhooks"},
    "training.*": {"queue": "training"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# On SIGQUIT running tasks get this long; what is not done then goes back to the queue, and its lease runs out.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 4
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1}
CELERY_TIMEZONE = "UTC"
# One quick retry to publish: who sends a hint never waits for a broker that is down (kombu's default is about 6 s).
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
if CELERY_BROKER_URL.startswith(("redis", "rediss")):
    # kombu sweeps for unacknowledged messages every 10 x 10 s by default; a killed worker's come back in 19 s so.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 4,
    }

if USES_RABBITMQ:
    # Quorum queues want confirmed messages. Celery sees their type and does without global QoS, which they refuse.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"confirm_publish": True}
    # A model that writes for minutes cannot answer heartbeats meanwhile; TCP keepalive finds a dead server instead.
    CELERY_BROKER_HEARTBEAT = 0
    # Nothing is sent with a delay: no replicas for the queues that Celery declares for it.
    CELERY_BROKER_NATIVE_DELAYED_DELIVERY_QUEUE_TYPE = "classic"

# --- Label Studio ------------------------------------------------------------------------------------------------
LABELING = labeling_of(SITE_URL)
