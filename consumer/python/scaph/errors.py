# SPDX-License-Identifier: Apache-2.0
"""What stands in the way of a figure. A result of the library that is no figure is raised; errno values are OSError."""

import enum
import os


class Result(enum.IntEnum):
    """enum scaph_result of scaph.h."""

    OK = 0
    EMPTY = 1
    LAPPED = 2
    EPOCH = 3
    STALE = 4
    UNPROVEN = 5
    WITHHELD = 6
    GAP = 7
    REFUSED = 8
    NOT_YET = 9
    TOO_OLD = 10


class ScaphError(Exception):
    """No figure; str() says why."""

    result: Result


class EmptyError(ScaphError):
    """Nothing new came in the time that was given."""

    result = Result.EMPTY


class StaleError(ScaphError):
    """Records came, and come no more."""

    result = Result.STALE


class UnprovenError(ScaphError):
    """Attached, but nothing has moved yet: ask again."""

    result = Result.UNPROVEN


class WithheldError(ScaphError):
    """The domain's profile lets it see no figures."""

    result = Result.WITHHELD


class GapError(ScaphError):
    """What lies between must not be subtracted: a gap, a new epoch, a clock that stood still."""

    result = Result.GAP


class RefusedError(ScaphError):
    """No segment that this library can read."""

    result = Result.REFUSED


class NotYetError(ScaphError):
    """The span's last record is not there yet."""

    result = Result.NOT_YET


class TooOldError(ScaphError):
    """The span begins before what the segment still holds."""

    result = Result.TOO_OLD


_ERRORS = {error.result: error for error in (EmptyError, StaleError, UnprovenError, WithheldError, GapError, RefusedError,
                                             NotYetError, TooOldError)}


def error_of(result: int, reason: str, path: str) -> Exception:
    """The exception of a result that is not 0."""
    if result < 0:
        return OSError(-result, os.strerror(-result), path)
    if result not in _ERRORS:
        return ScaphError(f"{path}: result {result}, which this module does not know")
    error = _ERRORS[Result(result)]
    return error(f"{path}: {reason or error.__doc__.splitlines()[0].rstrip('.')}")
