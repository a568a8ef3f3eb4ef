"""Addresses: their parts, the names of their files, and what of them is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.files.addresses import (
    SEND,
    Address,
    file_name,
    local_path,
    parse_address,
    placeholders,
    request_url,
    shown,
)

HEX = "0123456789abcdef" * 4
NAMED = [
    "https://h/a.tsv",
    "http://h/a.tsv",
    "https://h:8000/a.tsv",
    "https://h/b/a.tsv",
    "https://h/a.tsv?x=1",
    "https://h/a.tsv/",
    "https://h//a.tsv",
    "hf://set@main/a.tsv",
    "hf://models/set@main/a.tsv",
    "hf://set@v2/a.tsv",
    "https://h/{lang}.tsv",
    "https://h/{name}.tsv",
]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("https://h/a.tsv", Address("https://h/a.tsv")),
        (f"https://h/a.tsv?v=1#sha256={HEX.upper()}", Address("https://h/a.tsv?v=1", HEX)),
        (f"https://h/a.zip!b/c!.tsv#sha256={HEX}", Address("https://h/a.zip", HEX, "b/c!.tsv")),
        ("https://h/a.tar.gz?download=1!c.tsv", Address("https://h/a.tar.gz?download=1", None, "c.tsv")),
        ("https://h/wow!.tsv", Address("https://h/wow!.tsv")),
        ("hf://org/set@main/a b.zip!c.tsv", Address("hf://org/set@main/a b.zip", None, "c.tsv")),
        ("https://me:${PW}@h/a?token=${TOKEN}", Address("https://me:${PW}@h/a?token=${TOKEN}")),
    ],
)
def test_an_address_has_a_url_a_checksum_and_a_member(text, address):
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("hf://squad@main/plain/a.parquet", "https://huggingface.co/datasets/squad/resolve/main/plain/a.parquet"),
        ("hf://datasets/org/set@v1/a", "https://huggingface.co/datasets/org/set/resolve/v1/a"),
        ("hf://models/org/m@abc/x/y z.bin", "https://huggingface.co/org/m/resolve/abc/x/y%20z.bin"),
        ("hf://s@refs%2Fconvert%2Fparquet/a", "https://huggingface.co/datasets/s/resolve/refs%2Fconvert%2Fparquet/a"),
        ("https://h/${A}?token=${A}", "https://h/x?token=x"),
    ],
)
def test_what_is_asked_for(url, asked):
    assert request_url(url, {"A": "x", SEND: "A"}) == asked


@pytest.mark.parametrize("listed", [None, "", "OTHER", "TOKE", "TOKENS,OTHER", "*"])
@pytest.mark.parametrize("url", ["https://h/a?token=${TOKEN}", "https://${TOKEN}.h/a", "hf://s@${TOKEN}/a"])
def test_a_variable_that_is_not_listed_is_never_sent(url, listed):
    with pytest.raises(ValueError, match=r"would send environment variable TOKEN: .* export SWITCHRANK_SEND=.*TOKEN"):
        request_url(url, {"TOKEN": "s3cret"} | ({SEND: listed} if listed is not None else {}))


def test_the_advice_keeps_what_is_listed_already():
    with pytest.raises(ValueError, match=r"export SWITCHRANK_SEND=A,B$"):
        request_url("https://h/${A}${B}", {"A": "x", "B": "y", SEND: " A , "})


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://h/a?${A}", True),
        ("HTTPS://h/a?${A}", True),
        ("http://localhost:8000/a?${A}", True),
        ("http://127.9.9.9/a?${A}", True),
        ("http://[::1]:8000/a?${A}", True),
        ("http://h/a?${A}", False),
        ("http://127.0.0.1.h/a?${A}", False),
        ("http://localhost.h/a?${A}", False),
        ("http://127.0.0.1@h/a?${A}", False),
        ("http://10.0.0.1/a?${A}", False),
        ("hf://s@main/${A}", False),
    ],
)
def test_a_variable_goes_over_plain_http_to_this_machine_alone(url, private):
    environment = {"A": "x", SEND: "A", "HF_ENDPOINT": "http://mirror.org"}
    if private:
        assert "x" in request_url(url, environment)
    else:
        with pytest.raises(ValueError, match="would send environment variable A unencrypted: write https"):
            request_url(url, environment)


def test_a_mirror_of_the_hub_is_used():
    assert (
        request_url("hf://s@main/a", {"HF_ENDPOINT": "https://mirror.org/"})
        == "https://mirror.org/datasets/s/resolve/main/a"
    )


def test_every_address_has_a_file_of_its_own_that_keeps_its_suffix():
    names = [file_name(url) for url in NAMED]
    assert len(set(names)) == len(NAMED)
    assert all(name.endswith(".tsv") for name in names)


def test_a_member_has_a_file_of_its_own():
    paths = {local_path(f"https://h/a.zip{member}") for member in ("", "!b/c.tsv", "!d/c.tsv")}
    assert len(paths) == 3
    assert sorted(path.rpartition("/")[2] for path in paths) == ["a.zip", "c.tsv", "c.tsv"]


@pytest.mark.parametrize(
    ("url", "end"),
    [
        ("https://h/{name}_{lang}.tsv", "/{name}_{lang}.tsv"),
        ("https://h/{lang}/a.tsv", "/{lang}/a.tsv"),
        ("https://h/{split}/get?f={lang}", "/{split}-{lang}/get"),
        ("https://h/${KEY}/a.tsv?token=${KEY}", "/a.tsv"),
        ("https://h/%2e%2e%2fetc", "/etc"),
        ("https://h/", "/file"),
    ],
)
def test_placeholders_stay_and_everything_else_is_safe(url, end):
    name = file_name(url)
    assert name.endswith(end)
    assert placeholders(name) == placeholders(url)


@given(st.text(max_size=60), st.sampled_from(["https://h/", "http://h?", "hf://a@b/", "https://", ""]))
def test_any_text_is_an_address_with_a_safe_name_or_an_error_of_two_parts(text, start):
    try:
        path = local_path(start + text)
    except ValueError as raised:
        path, line = None, str(raised)
    if path is None:
        assert ": " in line
        return
    pieces = path.split("/")
    assert pieces[:2] == ["data", "downloads"]
    assert not {"", ".", ".."} & set(pieces)
    assert all(len(piece.encode()) <= 255 for piece in pieces)
    assert all(piece.isascii() and piece.isprintable() for piece in pieces)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://me:s3cret@h:80/a?b=1", "https://***@h:80/a?b=1"),
        ("https://h/a?Access_Token=s3cret&b=1", "https://h/a?Access_Token=***&b=1"),
        ("https://h/a?X-Amz-Credential=s3cret", "https://h/a?X-Amz-Credential=***"),
        ("https://h/a?x%2dapi%2dkey=s3cret", "https://h/a?x%2dapi%2dkey=***"),
        ("https://h/a?sig=s3cret#s3cret", "https://h/a?sig=***"),
        ("https://s3cret@[::1/a?b=s3cret", "https://***@[::1/a"),
        ("hf://org/set@main/a.tsv", "hf://org/set@main/a.tsv"),
    ],
)
def test_no_secret_of_an_address_is_shown(url, told):
    assert shown(url) == told
