"""Rows of the braid command beside the rows that another database gave as text, compared by what the values mean."""

import datetime
import json
import math
import re

from braid_command import braid

INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(\.\d{1,6})?(Z|[+-]\d\d(?::?\d\d)?)?$")
RELATIVE_TOLERANCE = 1e-9


def ask(database, sql):
    """The rows of a statement as lists of values."""
    pairs = json.loads(braid("-json", database, sql)[0] or "[]", object_pairs_hook=list)
    return [[value for _, value in row] for row in pairs]


def instant(text):
    """Microseconds since 1970 of a time in any form that PostgreSQL and Braid write, or None."""
    found = INSTANT.match(text)
    if not found:
        return None
    *parts, fraction, zone = found.groups()
    time = datetime.datetime(*map(int, parts), tzinfo=datetime.timezone.utc)
    offset = 0
    if zone and zone != "Z":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = (1 if zone[0] == "+" else -1) * (int(digits[:2]) * 60 + int(digits[2:])) * 60
    seconds = int(time.timestamp()) - offset
    return seconds * 1_000_000 + round(float(fraction or 0) * 1_000_000)


def same_value(expected, actual):
    """`expected` is text or None; `actual` a value of JSON."""
    if expected is None or actual is None:
        return expected is None and actual is None
    if isinstance(actual, str):
        time = instant(expected)
        return actual == expected if time is None else instant(actual) == time
    try:
        return math.isclose(float(expected), actual, rel_tol=RELATIVE_TOLERANCE, abs_tol=1e-12)
    except ValueError:
        return False


def in_order(rows):
    """Rows in an order that does not depend on the last digits of numbers, unless all else is equal."""

    def key(row):
        texts, numbers = [], []
        for value in row:
            try:
                numbers.append(float(value))
                texts.append("number")
            except (TypeError, ValueError):
                texts.append("" if value is None else f"={instant(value) or value}")
        return texts, numbers

    return sorted(rows, key=key)


def difference(expected, actual, ordered):
    """What differs first, or None."""
    if len(expected) != len(actual):
        return f"{len(expected)} rows were expected, there are {len(actual)}"
    if not ordered:
        expected, actual = in_order(expected), in_order(actual)
    for number, (wanted, row) in enumerate(zip(expected, actual)):
        if len(wanted) != len(row) or not all(map(same_value, wanted, row)):
            return f"row {number}: expected {wanted}, there is {row}"
    return None
