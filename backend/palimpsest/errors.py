"""Every error a user can meet, one tree.

PalimpsestError
├── RequestError              the request itself is unusable               400
│   ├── WordNotFoundError     a word that the prompt does not contain
│   ├── PromptTooLongError    more tokens than the text encoder reads
│   ├── NotRememberedError    a draft of a photo that would have to be inverted first
│   └── SelectionError        empty, missing, or of another size
├── ImageError                a picture that cannot be used                422
│   ├── ImageTooSmallError / ImageTooLargeError / ImageUnreadableError / ImageUnsupportedError
│   └── ImageNotFoundError / ImageHashError / ImageInUseError
├── ConceptError              the concept library                          409/404/422
│   ├── ConceptNotFoundError / ConceptExistsError / ConceptInUseError / ConceptOwnedError
│   ├── ConceptNameError
│   ├── ConceptIncompatibleError / ConceptFileError
│   └── ConceptImagesError    too few, duplicate, or disagreeing pictures
├── LoraError                 a LoRA                                       404/422
│   └── LoraNotFoundError / LoraFileError / LoraIncompatibleError
├── ModelError                the model folder                             404/422
│   ├── ModelNotFoundError / ModelBusyError / ModelUnreadableError / PickledModelError / ModelIncapableError
│   └── NotFiniteError        its networks gave NaN or infinity
├── ResourceError             the machine ran out of something             507/503
│   ├── OutOfMemoryError / DiskFullError / QuotaExceededError / StorageError / NetworkError
│   ├── OfflineError / AddressForbiddenError / DownloadTooLargeError / ChecksumError
│   ├── QueueFullError / ServerRunningError
│   └── ConnectionsFullError / DeviceNotFoundError
├── JobError                  a job that isn't there or couldn't go on     404/409/500
│   ├── JobNotFoundError / JobExistsError / JobOpenError / ArtifactNotFoundError
│   └── WorkerDiedError / ServerDiedError / JobStalledError / JobCancelledError
├── InternalError             a mistake of ours                            500
└── AccessError               what the server refuses to talk about        4xx
    ├── TokenError / HostForbiddenError / OriginForbiddenError / ProtocolMismatchError
    ├── RouteNotFoundError / MethodNotAllowedError / RateLimitedError
    └── BodyTooLargeError / BodyStalledError

Each class has a stable ``code`` (clients match on it), an HTTP ``status`` and, for the shell, an
``exit_code``: 2 when the user can mend the request, 1 when the machine or the files must be mended.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar

from palimpsest_client.text.refusals import REFUSALS


class Text(str):
    """One of ``REFUSALS`` in English, that knows its name and what was filled in: clients translate it.

    ``values``: plain JSON, or Texts.
    """

    name: str
    values: dict[str, Any]

    def __new__(cls, name: str, /, **values: Any) -> Text:
        made = super().__new__(cls, REFUSALS[name].format(**values))
        made.name, made.values = name, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        """Copies, and what goes through a worker's pipe, are made as this one was."""
        return (self.name,), self.values

    def to_json(self) -> dict[str, Any]:
        values = {k: v.to_json() if isinstance(v, Text) else v for k, v in self.values.items()}
        return {"name": self.name, "values": values}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Text:
        """Raises LookupError, TypeError, ValueError or AttributeError for what isn't one of ours."""
        values = {k: cls.from_json(v) if isinstance(v, dict) else v for k, v in told["values"].items()}
        return cls(told["name"], **values)


def in_a_row(texts: Sequence[Text]) -> Text:
    """Several sentences as one text, at least one."""
    return reduce(lambda one, two: Text("two-sentences", one=one, two=two), texts)


def translatable(**texts: str) -> dict[str, Any]:
    """Those that are Texts, by the names of their fields."""
    return {field: text.to_json() for field, text in texts.items() if isinstance(text, Text)}


def noticed(*notices: str) -> dict[str, Any]:
    """Fields of a job's result: what people should know of it and, in the same order, the JSON of those that
    are Texts, None for others."""
    texts = [text.to_json() if isinstance(text, Text) else None for text in notices]
    return {"notices": list(map(str, notices)), "texts": {"notices": texts}}


class PalimpsestError(Exception):
    """What happened, with which value (``message``), and what to do next (``hint``)."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def to_json(self) -> dict[str, Any]:
        texts = translatable(message=self.message, hint=self.hint)
        told = {"code": self.code, "message": str(self.message), "hint": str(self.hint)}
        return {**told, "details": self.details, "texts": texts}


class RequestError(PalimpsestError):
    code = "request_invalid"
    status = 400
    exit_code = 2


class WordNotFoundError(RequestError):
    code = "word_not_found"


class PromptTooLongError(RequestError):
    code = "prompt_too_long"


class NotRememberedError(RequestError):
    code = "not_remembered"
    status = 409


class SelectionError(RequestError):
    code = "selection_invalid"


class SelectionEmptyError(SelectionError):
    code = "selection_empty"


class SelectionSizeError(SelectionError):
    code = "selection_size"


class ImageError(PalimpsestError):
    code = "image_invalid"
    status = 422
    exit_code = 2


class ImageTooSmallError(ImageError):
    code = "image_too_small"


class ImageTooLargeError(ImageError):
    code = "image_too_large"


class ImageUnreadableError(ImageError):
    code = "image_unreadable"


class ImageUnsupportedError(ImageError):
    code = "image_unsupported"


class ImageNotFoundError(ImageError):
    code = "image_not_found"
    status = 404


class ImageHashError(ImageError):
    code = "image_hash"


class ImageInUseError(ImageError):
    code = "image_in_use"
    status = 409


class ConceptError(PalimpsestError):
    code = "concept_invalid"
    status = 422
    exit_code = 2


class ConceptNotFoundError(ConceptError):
    code = "concept_not_found"
    status = 404


class ConceptExistsError(ConceptError):
    code = "concept_exists"
    status = 409


class ConceptInUseError(ConceptError):
    code = "concept_in_use"
    status = 409


class ConceptOwnedError(ConceptError):
    code = "concept_owned"
    status = 403


class ConceptNameError(ConceptError):
    code = "concept_name"


class ConceptIncompatibleError(ConceptError):
    code = "concept_incompatible"


class ConceptFileError(ConceptError):
    code = "concept_file"


class ConceptImagesError(ConceptError):
    code = "concept_images"


class LoraError(PalimpsestError):
    code = "lora_invalid"
    status = 422
    exit_code = 2


class LoraNotFoundError(LoraError):
    code = "lora_not_found"
    status = 404


class LoraFileError(LoraError):
    code = "lora_file"


class LoraIncompatibleError(LoraError):
    code = "lora_incompatible"


class ModelError(PalimpsestError):
    code = "model_invalid"
    status = 422


class ModelNotFoundError(ModelError):
    code = "model_not_found"
    status = 404
    exit_code = 2


class ModelBusyError(ModelError):
    code = "model_busy"
    status = 409


class ModelUnreadableError(ModelError):
    code = "model_unreadable"


class PickledModelError(ModelError):
    code = "model_pickled"


class ModelIncapableError(ModelError):
    code = "model_incapable"
    exit_code = 2


class NotFiniteError(ModelError):
    code = "not_finite"


class ResourceError(PalimpsestError):
    code = "resource"
    status = 503


class OutOfMemoryError(ResourceError):
    code = "out_of_memory"
    status = 507


class DeviceNotFoundError(ResourceError):
    code = "device_not_found"
    exit_code = 2


class DiskFullError(ResourceError):
    code = "disk_full"
    status = 507


class QuotaExceededError(ResourceError):
    code = "quota_exceeded"
    status = 507


class StorageError(ResourceError):
    code = "storage"


class NetworkError(ResourceError):
    code = "network"


class OfflineError(NetworkError):
    code = "offline"


class AddressForbiddenError(NetworkError):
    code = "address_forbidden"
    status = 403
    exit_code = 2


class DownloadTooLargeError(NetworkError):
    code = "download_too_large"
    status = 413


class ChecksumError(NetworkError):
    code = "checksum"


class QueueFullError(ResourceError):
    code = "queue_full"


class ConnectionsFullError(ResourceError):
    code = "connections_full"


class ServerRunningError(ResourceError):
    code = "server_running"


class JobError(PalimpsestError):
    code = "job_failed"


class JobNotFoundError(JobError):
    code = "job_not_found"
    status = 404
    exit_code = 2


class JobExistsError(JobError):
    code = "job_exists"
    status = 409
    exit_code = 2


class JobOpenError(JobError):
    code = "job_open"
    status = 409
    exit_code = 2


class ArtifactNotFoundError(JobError):
    code = "artifact_not_found"
    status = 404
    exit_code = 2


class WorkerDiedError(JobError):
    code = "worker_died"


class ServerDiedError(JobError):
    code = "server_died"


class JobStalledError(JobError):
    code = "job_stalled"


class JobCancelledError(JobError):
    code = "job_cancelled"
    status = 409


class InternalError(PalimpsestError):
    code = "internal"


class AccessError(PalimpsestError):
    code = "forbidden"
    status = 403
    exit_code = 2


class TokenError(AccessError):
    code = "token_invalid"
    status = 401


class HostForbiddenError(AccessError):
    code = "host_forbidden"


class OriginForbiddenError(AccessError):
    code = "origin_forbidden"


class ProtocolMismatchError(AccessError):
    code = "protocol_mismatch"
    status = 426


class RouteNotFoundError(AccessError):
    code = "route_not_found"
    status = 404


class MethodNotAllowedError(AccessError):
    code = "method_not_allowed"
    status = 405


class RateLimitedError(AccessError):
    code = "rate_limited"
    status = 429


class BodyTooLargeError(AccessError):
    code = "body_too_large"
    status = 413


class BodyStalledError(AccessError):
    code = "body_stalled"
    status = 408


def from_json(told: Mapping[str, Any]) -> PalimpsestError:
    """An error that another process told, as its own class again; unknown codes as PalimpsestError."""
    found = next((cls for cls in _below(PalimpsestError) if cls.code == told.get("code")), PalimpsestError)
    message, hint = _told_text(told, "message"), _told_text(told, "hint")
    return found(message, hint, **dict(told.get("details", {})))


def _told_text(told: Mapping[str, Any], field: str) -> str:
    """A Text again where it still says what was told; another version may say it otherwise."""
    said = str(told.get(field, ""))
    try:
        made = Text.from_json(told["texts"][field])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
        return said
    return made if made == said else said


def _below(cls: type[PalimpsestError]) -> Iterator[type[PalimpsestError]]:
    yield cls
    for below in cls.__subclasses__():
        yield from _below(below)
