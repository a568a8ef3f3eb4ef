"""Progress that native code writes comes as seldom as that of our own bars."""

import os

from switchrank.core.progress import native_progress


def test_a_line_that_is_rewritten_over_and_over_is_shown_now_and_then_and_at_its_end(capfd):
    with native_progress():
        os.write(2, b"reading\n")
        for number in range(1000):
            os.write(2, b"\rProgress: %d" % number)
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "reading\nProgress: 999\nafter\n"


def test_what_breaks_off_in_the_block_leaves_standard_error_as_it_was(capfd):
    try:
        with native_progress():
            raise ValueError
    except ValueError:
        os.write(2, b"here\n")
    assert capfd.readouterr().err == "here\n"
