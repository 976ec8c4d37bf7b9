"""What the client raises, as the errors that the shell shows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from palimpsest import errors
from palimpsest.errors import NetworkError, PalimpsestError
from palimpsest_client.http.protocol import ClientError, RefusedError


@contextmanager
def as_palimpsest_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise to_palimpsest_error(error) from error


def to_palimpsest_error(error: ClientError) -> PalimpsestError:
    """The client's error in the server's own terms."""
    if isinstance(error, RefusedError):
        return errors.from_json({**error.told, "code": error.code})
    return NetworkError(error.message, error.hint if error.hint else "See: palimpsest status")
