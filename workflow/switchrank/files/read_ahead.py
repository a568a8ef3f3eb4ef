"""Reading ahead: a thread makes the next items of an iterator while the last one is worked on.

It pays where making an item lets other threads run, as unpacking and array operations on bytes do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Generator[T], depth: int = 2) -> Generator[T]:
    """Yield the items in their order, at most ``depth`` ahead; what ``items`` raises is raised here, in its turn.

    Closing this generator closes ``items``, which no thread runs any more.
    """
    end = object()
    with closing(items):
        pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        try:
            waiting = deque(pool.submit(next, items, end) for _ in range(depth))
            while (item := waiting.popleft().result()) is not end:
                waiting.append(pool.submit(next, items, end))
                yield item  # type: ignore[misc]
        finally:
            pool.shutdown(cancel_futures=True)
