"""When something was written: the forms in which shops and their tools give a date."""

from __future__ import annotations

import datetime as dt
import re

from django.utils.dateparse import parse_date, parse_datetime

from catalog.feeds.bad_row import BadRow

# What no customer writes outside of, and what every reader of the database can hold in every time zone.
FIRST_YEAR, LAST_YEAR = 1900, 2200
LONGEST = 80  # characters
NO_DATE = {"null", "\\n", "none", "nil", "nan", "nat", "n/a", "na", "-", "0", "undefined"}
_ZERO_DATE = re.compile(r"0{4}-00-00(?:[ T]00:00(?::00(?:\.0+)?)?)?Z?")
_ZONE = re.compile(r"\s*(?:UTC|GMT|Z)$", re.I)
_OFFSET = re.compile(r"\s+([+-]\d{2}):?(\d{2})$")
_SECONDS = re.compile(r"\d{9,10}(?:\.\d{1,6})?|\d{12,13}")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? ", re.I)
_OF_PROGRAMS = re.compile(r" GMT([+-]\d{4})(?: \([^()]{1,40}\))?$")  # as JavaScript writes it
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.I)
# `strptime` compiles nearly every form anew; a file has a date on each row.
_TIME = (
    r"(?:,? (?:at )?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.\d+)?)?(?: ?(?P<half>[AP])\.?M\.?)?)?"
)
_YEAR, _MONTH, _DAY, _NAME = (
    r"(?P<year>\d{4})",
    r"(?P<month>\d{1,2})",
    r"(?P<day>\d{1,2})",
    r"(?P<name>[A-Za-z]{3,9})\.?",
)
# Unmistakable ones alone: of 03/04/2026 nobody can tell the month.
_FORMS = tuple(
    re.compile(form + _TIME, re.I)
    for form in (
        rf"{_YEAR}/{_MONTH}/{_DAY}",
        rf"{_YEAR}\.{_MONTH}\.{_DAY}",
        rf"{_YEAR}-{_MONTH}-{_DAY}",
        rf"{_YEAR}年{_MONTH}月{_DAY}日",
        rf"{_DAY}\.\s?{_MONTH}\.\s?{_YEAR}",
        rf"{_NAME} {_DAY},? {_YEAR}",
        rf"{_DAY}[ -]{_NAME},?[ -]{_YEAR}",
    )
)
_SLASHED = re.compile(rf"(?P<first>\d{{1,2}})[/-](?P<other>\d{{1,2}})[/-]{_YEAR}{_TIME}", re.I)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def is_form(form: str) -> bool:
    """Whether `strptime` knows what `form` means."""
    try:
        dt.datetime.strptime("", form)  # noqa: DTZ007  (nothing comes of it)
    except (re.error, ValueError) as exc:
        return isinstance(exc, ValueError) and str(exc).startswith("time data")
    return True


def parse_moment(name: str, text: str, *, form: str = "", hint: str = "") -> dt.datetime | None:
    """Return the moment that `text` gives, in UTC where it names no zone; None where it gives none (`0000-00-00`,
    `NULL`).

    `form` says how it is written, as `strptime` has it; `hint` what to do where it cannot be read. Raises `BadRow`,
    which calls it `name`, when it cannot be read or is out of range.
    """
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise BadRow(_unreadable(name, text, form, hint))
    if not text or text.casefold() in NO_DATE or _ZERO_DATE.fullmatch(text):
        return None
    try:
        moment = dt.datetime.strptime(text, form) if form else _read(text)  # noqa: DTZ007  (the zone follows)
        if moment is not None:
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        moment = None
        if form or not re.match(r"(?:0001|9999)-", text):
            raise BadRow(_unreadable(name, text, form, hint)) from None
    else:
        if moment is None:
            raise BadRow(_unreadable(name, text, form, hint))
        if FIRST_YEAR <= moment.year <= LAST_YEAR:
            return moment
    raise BadRow(f"{name} {text[:40]!r} is out of range: years {FIRST_YEAR} to {LAST_YEAR} are taken")


def _unreadable(name: str, text: str, form: str, hint: str) -> str:
    if form:
        return f"{name} {text[:40]!r} is not written as {form}"
    if (slashed := _SLASHED.fullmatch(text)) and max(int(slashed["first"]), int(slashed["other"])) <= 12:
        return f"{name} {text[:40]!r} may have the day or the month first" + (f": {hint}" if hint else "")
    return f"{name} {text[:40]!r} is no ISO 8601 date or time" + (
        f", nor of another usual form: {hint}" if hint else ""
    )


def _read(text: str) -> dt.datetime | None:
    moment = parse_datetime(text)
    if moment is not None:
        return moment
    if day := parse_date(text):
        return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    if _SECONDS.fullmatch(text):
        seconds = float(text) / (1000 if len(text.partition(".")[0]) > 10 else 1)
        return dt.datetime.fromtimestamp(seconds, tz=dt.UTC)
    text = _OF_PROGRAMS.sub(r" \1", _WEEKDAY.sub("", text)) if text[0].isalpha() else text
    plain, zone = _ZONE.sub("", text), dt.UTC
    if offset := _OFFSET.search(plain):
        minutes = int(offset[1]) * 60 + int(offset[1][0] + offset[2])
        plain, zone = plain[: offset.start()], dt.timezone(dt.timedelta(minutes=minutes))
    if plain != text and (moment := parse_datetime(plain)):
        return moment.replace(tzinfo=zone)
    return _by_form(_ORDINAL.sub("", plain), zone)


def _by_form(text: str, zone: dt.tzinfo) -> dt.datetime | None:
    if slashed := _SLASHED.fullmatch(text):
        first, second = int(slashed["first"]), int(slashed["other"])
        if first <= 12 and second <= 12 and first != second:
            return None
        return _moment(slashed, max(first, second), min(first, second), zone)
    for form in _FORMS:
        if match := form.fullmatch(text):
            parts = match.groupdict()
            name = (parts.get("name") or "").lower()
            if not name:
                return _moment(match, int(match["day"]), int(match["month"]), zone)
            if name[:3] in _MONTHS:
                return _moment(match, int(match["day"]), _MONTHS.index(name[:3]) + 1, zone)
    return None


def _moment(match: re.Match[str], day: int, month: int, zone: dt.tzinfo) -> dt.datetime:
    hour, half = int(match["hour"] or 0), (match["half"] or "").upper()
    if half:
        hour = hour % 12 + (12 if half == "P" else 0)
    minute, second = int(match["minute"] or 0), int(match["second"] or 0)
    return dt.datetime(int(match["year"]), month, day, hour, minute, second, tzinfo=zone)
