"""Which model version answers to a name: the read side of the registry."""

from __future__ import annotations

from core.exceptions import PermanentError
from inference import prompts
from inference.models import ModelAlias, ModelVersion, Role


def find(role: str, *, alias: str = "champion") -> ModelVersion | None:
    """Return the version that `alias` of `role` points at now, or None."""
    row = ModelAlias.objects.select_related("version").filter(role=role, name=alias).first()
    return row.version if row else None


def resolve(role: str, *, alias: str = "champion") -> ModelVersion:
    """Return the version that `alias` of `role` points at now. Raises `PermanentError` when there is none."""
    version = find(role, alias=alias)
    if version is None:
        raise PermanentError(
            f"no model is the {alias} of the role {role}",
            hint=(
                "Run `manage.py prepare_models` for the models that ship with ecomsite, or `manage.py register_model`."
            ),
        )
    return version


def can_work_in(version: ModelVersion, locale: str) -> bool:
    """Return whether `version` lists `locale` or a language that covers it (`zh` covers `zh-Hans`)."""
    return any(locale == known or locale.startswith(f"{known}-") for known in version.locales)


def writer_for(locale: str, *, alias: str = "champion") -> ModelVersion:
    """Return the copywriter behind `alias` if it writes `locale`. Raises `PermanentError` when it does not."""
    version = resolve(Role.COPYWRITER, alias=alias)
    if not can_work_in(version, locale):
        known = ", ".join(version.locales) or "no language"
        raise PermanentError(
            f"{version} cannot write {locale}: it knows {known}.",
            hint="Register a model that can, from a directory, a hub id or an endpoint: "
            f"`manage.py register_model SOURCE --role copywriter --locales {','.join([*version.locales, locale])} "
            "--promote --by NAME`.",
        )
    return version


def prompt_in_force() -> str:
    """Return the version of the prompt that the copywriter in force is asked with; the one with examples where
    nobody serves. Raises `PermanentError` as `prompts.version_for`.
    """
    champion = find(Role.COPYWRITER)
    return prompts.version_for(champion.options if champion else {})
