from __future__ import annotations

from switchrank.identify.kinds import FolderKind, description

FOLDERS = (FolderKind(**description("ciral-folder", __package__)),)
