from __future__ import annotations

from switchrank.identify.kinds import FolderKind, description

FOLDERS = (FolderKind(**description("mldr-folder", __package__)),)
