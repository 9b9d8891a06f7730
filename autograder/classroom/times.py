"""Reads times as people and programs write them: never a guess between day and month, nor about a zone."""

from __future__ import annotations

import datetime
import re
import warnings

import dateutil.parser
import dateutil.tz

# A date, a time and the name of a zone; to look for a time in megabytes takes minutes.
LONGEST = 100
_DAY_FIRST = re.compile(r"\d{1,2}\.\s*\d{1,2}\.")
_SLASHES = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}\b")


class UnreadableTime(ValueError):
    """A text that is no certain time; the message says why, for people."""


def read_time(text: str) -> datetime.datetime:
    """Return a time in UTC, without a zone; a text that names none is taken as UTC.

    nbgrader's own `parse_utc` takes "+0200" for 200 seconds, "03.10.2026" for 10 March, and drops a zone that it does
    not know. Here 03.10.2026 is 3 October, and 03/10/2026, which differs between countries, is no time.

    Raises:
        UnreadableTime: it is no time, or no certain one.
    """
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise UnreadableTime("holds no time")
    slashes = _SLASHES.search(text)
    if slashes and int(slashes[1]) <= 12 and int(slashes[2]) <= 12 and slashes[1] != slashes[2]:
        raise UnreadableTime(f"{slashes[0]} may be two days: write it as 2026-10-03")
    day_first = bool(_DAY_FIRST.match(text)) or bool(slashes and int(slashes[1]) > 12)
    clock, _, zone = text.rpartition(" ")
    is_name = zone.replace("/", "").replace("_", "").isalpha() and zone.upper() not in ("AM", "PM")
    known = dateutil.tz.gettz(zone) if is_name else None
    with warnings.catch_warnings():
        warnings.simplefilter("error", dateutil.parser.UnknownTimezoneWarning)
        try:
            told, again = (
                dateutil.parser.parse(clock if known else text, dayfirst=day_first, default=default)
                for default in (datetime.datetime(2001, 1, 2), datetime.datetime(2004, 3, 4))
            )
            if told.date() != again.date():
                raise UnreadableTime(f"{text!r} is no whole date; one looks like 2026-10-08 12:00 UTC")
            told = told.replace(tzinfo=known or told.tzinfo or datetime.UTC)
            return told.astimezone(datetime.UTC).replace(tzinfo=None)
        except dateutil.parser.UnknownTimezoneWarning:
            raise UnreadableTime(
                f"the time zone {zone} is not understood; one looks like Europe/Berlin, +02:00 or UTC"
            ) from None
        except (dateutil.parser.ParserError, OverflowError, TypeError, AttributeError):
            # What dateutil raises on a number of twenty digits, among others.
            raise UnreadableTime(f"{text!r} is no time; one looks like 2026-10-08 12:00 UTC") from None
