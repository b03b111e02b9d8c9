"""What the HTTP service alone raises."""

from __future__ import annotations

from rescind.errors.base import RescindError


class InvalidRequest(RescindError):
    """The request is not well formed."""

    code = "invalid_request"


class Unauthenticated(RescindError):
    """The request carries no valid API key."""

    code = "unauthenticated"
    hint = "Send a key that is neither expired nor revoked, as `Authorization: Bearer KEY`."


class ScopeMissing(RescindError):
    """The API key does not have the scope that this needs."""

    code = "scope_missing"
    hint = "Use a key that has it."


class RouteNotFound(RescindError):
    """There is nothing at this address."""

    code = "route_not_found"
    hint = "The addresses are in /openapi.json."


class MethodNotAllowed(RescindError):
    """This address does not take the method."""

    code = "method_not_allowed"


class RevisionNotFound(RescindError):
    """The organization has no change of this number."""

    code = "revision_not_found"
    hint = "List its changes."


class PastUnavailable(RescindError):
    """The organization cannot be asked about this time."""

    code = "past_unavailable"


class PastTooLarge(RescindError):
    """The organization has more facts than this process may replay its log with."""

    code = "past_too_large"
    hint = (
        "Ask with the command line, which has no limit, or raise the setting `past_most_facts`;"
        " each fact takes about 0.5 KB"
    )


class ApiKeyNotFound(RescindError):
    """The API key does not exist, or was revoked."""

    code = "api_key_not_found"
    hint = "List the keys to find its id."


class HeadTooLarge(RescindError):
    """The request's head is larger than the limit."""

    code = "head_too_large"
    hint = "Send shorter headers and a shorter address."


class HeadTooSlow(RescindError):
    """The request's head did not arrive in time."""

    code = "head_too_slow"
    retry = True


class BodyTooLarge(RescindError):
    """The request's body is larger than the limit."""

    code = "body_too_large"
    hint = "Send less at a time."


class BodyTooSlow(RescindError):
    """The request's body did not arrive in time."""

    code = "body_too_slow"
    retry = True


class RequestTimedOut(RescindError):
    """The request took longer than the limit."""

    code = "request_timed_out"
    retry = True


class EncodingNotSupported(RescindError):
    """The request's body is encoded, such as compressed."""

    code = "encoding_not_supported"
    hint = "Send it as it is, without Content-Encoding."


class TooManyRequests(RescindError):
    """The API key makes more requests than the limit."""

    code = "too_many_requests"
    retry = True
    hint = "Wait as long as the header Retry-After says."


class PreconditionFailed(RescindError):
    """The organization is not at the revision that the change is for."""

    code = "precondition_failed"
    hint = "Read again what it rests on, and decide anew."


class NotSupported(RescindError):
    """This is not supported, on purpose."""

    code = "not_supported"


class InternalError(RescindError):
    """The service made a mistake, which is in its log under the request's id."""

    code = "internal_error"
