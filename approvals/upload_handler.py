"""Taking files from the wire without letting one of them fill the disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class CappedUploadHandler(TemporaryFileUploadHandler):
    """Write each file to a temporary file up to the limit; what comes after is counted but not kept.

    The file keeps its true size, so that ``uploads.store`` can refuse it in words instead of cutting the connection.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file with nothing written."""
        super().new_file(*args, **kwargs)
        self.written = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep the chunk while the file is within the limit."""
        if self.written <= settings.UPLOAD_MAX_BYTES:
            super().receive_data_chunk(raw_data, start)
            self.written += len(raw_data)
