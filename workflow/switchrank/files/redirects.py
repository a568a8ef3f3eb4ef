"""Where a request may be sent on to: what was filled into an address, and passwords, go to their host alone."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

import requests

from switchrank.files.addresses import is_private

_SHORTEST = 4
"""Shorter values are no secrets, and would be found anywhere."""


class UnsafeRedirectError(requests.RequestException):
    """A server sends on to a place that must not see what was sent to it."""


class CarefulSession(requests.Session):
    """A session whose redirects carry nothing to where it was not meant to go.

    ``requests`` itself takes the Authorization header off where the host changes, but fetches the password that
    ``~/.netrc`` has for the new host, encrypted or not; and it repeats whatever the server writes into the new address.

    Args:
        sent: values that are filled into the first address.
    """

    def __init__(self, sent: Sequence[str]) -> None:
        super().__init__()
        self.max_redirects = 10
        self._sent = [value for value in sent if len(value) >= _SHORTEST]

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Called for each redirect before it is followed.

        Raises:
            UnsafeRedirectError: the new address holds a value that was sent, and has another host or no encryption.
        """
        super().rebuild_auth(prepared_request, response)
        new, old = str(prepared_request.url), str(response.request.url)
        if not is_private(new):
            prepared_request.headers.pop("Authorization", None)
        kept = is_private(new) and urlsplit(new).hostname == urlsplit(old).hostname
        if not kept and any(value in text for value in self._sent for text in (new, unquote(new))):
            raise UnsafeRedirectError
