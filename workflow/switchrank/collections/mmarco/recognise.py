from __future__ import annotations

from switchrank.identify.kinds import FolderKind, description

FOLDERS = (
    FolderKind(
        **description("mmarco-folder", __package__),
        values=lambda _, names: {"version": "v1" if any("helsinki" in name for name in names) else "v2"},
    ),
)
