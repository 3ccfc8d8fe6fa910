"""Limits failed sign-ins, so that passwords cannot be tried and nobody can lock out others.

Each limit counts in a key space of its own, for a minute from its first failure:

==================  =====================  ==============================================================
what is counted     failures a minute      whom it locks
==================  =====================  ==============================================================
user at an address  ``attempts``           that name, from that address
user                10 × ``attempts``      that name, from everywhere: guessing spread over many addresses
station at address  ``attempts``           that station's id, from that address
enrolment           ``attempts``           enrolling, from that address
address             10 × ``attempts``      every sign-in from that address; a plant may share one
==================  =====================  ==============================================================
"""

from __future__ import annotations

import ipaddress
import json
import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

from limits.storage import MemoryStorage

from models.errors import TooManyRequests
from models.names import folded

_WINDOW_S = 60
_WIDE_FACTOR = 10
_IPV6_SITE_BITS = 64


@dataclass(frozen=True, slots=True)
class _Limit:
    key: str
    most: int


class Counts(Protocol):
    """Counts within windows of time."""

    def incr(self, key: str, expiry: int) -> int:
        """Count one more within the window of ``expiry`` seconds, and return how many there are."""
        ...

    def decr(self, key: str) -> Any:
        """Take one back."""
        ...

    def clear(self, key: str) -> None:
        """Forget a count."""
        ...

    def get_expiry(self, key: str) -> float:
        """Return the Unix time at which the window of a count ends."""
        ...


class Attempt:
    """An attempt that has been counted.

    Args:
        storage: where it is counted.
        narrow: forgotten as a whole when the attempt turns out right.
        wide: gets this one attempt back then.
    """

    def __init__(self, storage: Counts, narrow: _Limit, wide: tuple[_Limit, ...]) -> None:
        self._storage = storage
        self._narrow = narrow
        self._wide = wide

    def succeeded(self) -> None:
        """Take the attempt back: it was right."""
        self._storage.clear(self._narrow.key)
        for limit in self._wide:
            self._storage.decr(limit.key)


class SignInLimiter:
    """Counts attempts that may turn out wrong.

    Args:
        attempts: failures a minute of one name, station or enrolment from one address.
        counts: where several processes count together; None counts in this one.
    """

    def __init__(self, attempts: int, counts: Counts | None = None) -> None:
        self._storage: Counts = MemoryStorage() if counts is None else counts
        self._attempts = attempts

    def user(self, username: str, address: str) -> Attempt:
        """Count an attempt to sign in as a user; names that differ in case or width alone are one.

        Raises:
            TooManyRequests: ``sign-in-too-often`` with the member ``retry_after`` in seconds.
        """
        name = folded(username)
        return self._take(self._narrow("user", name, site_of(address)), self._wide("user", name), address)

    def device(self, device_id: str, address: str) -> Attempt:
        """Count an attempt to sign in as a station; its secret is random, so only the address is slowed down.

        Raises:
            TooManyRequests: as ``user``.
        """
        return self._take(self._narrow("device", device_id, site_of(address)), None, address)

    def enrolment(self, address: str) -> Attempt:
        """Count an attempt to enrol.

        Raises:
            TooManyRequests: as ``user``.
        """
        return self._take(self._narrow("enrolment", site_of(address)), None, address)

    def _narrow(self, *space: str) -> _Limit:
        return _Limit(json.dumps(["narrow", *space]), self._attempts)

    def _wide(self, *space: str) -> _Limit:
        return _Limit(json.dumps(["wide", *space]), self._attempts * _WIDE_FACTOR)

    def _take(self, narrow: _Limit, of_name: _Limit | None, address: str) -> Attempt:
        of_address = self._wide("address", site_of(address))
        wide = (of_address,) if of_name is None else (of_name, of_address)
        taken: list[_Limit] = []
        # The address first: one that is over its limit leaves no count for each name that it makes up.
        for limit in (of_address, narrow, *([] if of_name is None else [of_name])):
            if self._storage.incr(limit.key, _WINDOW_S) > limit.most:
                for one in (limit, *taken):
                    self._storage.decr(one.key)
                seconds = max(1, math.ceil(self._storage.get_expiry(limit.key) - time.time()))
                raise TooManyRequests("sign-in-too-often", seconds=seconds, members={"retry_after": seconds})
            taken.append(limit)
        return Attempt(self._storage, narrow, wide)


def site_of(address: str) -> str:
    """Return the key of an address's owner: IPv4 itself, of IPv6 the 64 bits that a site is given."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((int(known), _IPV6_SITE_BITS), strict=False))
    return str(known)
