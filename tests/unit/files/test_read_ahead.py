"""Items made ahead in a thread."""

import threading

import pytest

from switchrank.files.reading import read_ahead


def counted(made, closed, stop=None):
    try:
        for number in range(100):
            if number == stop:
                raise ValueError(f"item {number}")
            made.append(number)
            yield number
    finally:
        closed.append(threading.current_thread().name)


@pytest.mark.parametrize("depth", [1, 2, 7, 200])
def test_items_come_in_their_order_and_the_source_is_closed(depth):
    made, closed = [], []
    assert list(read_ahead(counted(made, closed), depth)) == list(range(100))
    assert len(closed) == 1


def test_an_error_comes_after_the_items_before_it():
    items = read_ahead(counted([], [], stop=5))
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="item 5"):
        next(items)


def test_stopping_early_makes_few_more_items_closes_the_source_and_leaves_no_thread():
    made, closed = [], []
    items = read_ahead(counted(made, closed), depth=3)
    assert next(items) == 0
    items.close()
    assert len(made) <= 5
    assert len(closed) == 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]


def test_no_items_are_no_items():
    assert list(read_ahead(iter_of([]))) == []


def iter_of(items):
    yield from items
