"""Configs whose files have public addresses: the copies that they name have the checksums asked of the addresses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from switchrank.config.load import load_plan
from switchrank.config.models import Download
from switchrank.files.fetched import fetch_file, missing_files
from tests.conftest import ROOT

pytestmark = pytest.mark.real


def copies(config: str) -> dict[str, Download]:
    """The files of a config that may be copied, by path."""
    downloads = load_plan(ROOT / "config" / f"{config}.yaml", os.environ).downloads
    return {path: download for path, download in downloads.items() if download.local}


@pytest.mark.parametrize(("config", "files"), [("xquad-public", 23), ("demo-pretrained", 8)])
def test_every_copy_has_the_checksum_of_its_address(config, files, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    wanted = {path: download.plain() for path, download in copies(config).items()}
    assert len(wanted) == files
    assert all(one["sha256"] for one in wanted.values())
    assert missing_files(wanted) == []
    for path, one in wanted.items():
        fetch_file(out=tmp_path / path, **one)
        assert (tmp_path / path).resolve().is_relative_to(Path(os.environ["SWITCHRANK_DATA"]).resolve())
