"""Files examined by their entry alone, in whichever process that is asked for."""

from __future__ import annotations

from hinomi.evidence.examiner import Examiner
from hinomi.evidence.folders import Folder, WorkerView, miss_os_error
from hinomi.evidence.reading import Reading, encode
from hinomi.evidence.view import Entry
from hinomi.model.findings import Coverage


class FileReader:
    """Examines files by their entry alone, in whichever process it is called; keeps the last folder open until it is
    closed."""

    def __init__(self, view: WorkerView, examiner: Examiner) -> None:
        """Take the view to open folders of."""
        self._view = view
        self._examiner = examiner
        self._path: bytes | None = None
        self._folder: Folder | None = None

    def read(self, entry: Entry) -> Reading:
        """Return the file's reading."""
        path = entry.path.rsplit(b"/", 1)[0]
        if path != self._path or self._folder is None:
            self.close()
            try:
                self._folder = self._view.folder_at(path)
            except OSError as error:
                coverage = Coverage()
                miss_os_error(coverage, "files", entry.path, error)
                return Reading(coverage=coverage)
            self._path = path
        return self._examiner.read(self._folder, entry)

    def answer(self, entry: Entry) -> bytes:
        """Return the file's reading as it crosses processes."""
        return encode(self.read(entry))

    def close(self) -> None:
        """Give back the folder."""
        if self._folder is not None:
            self._folder.release()
        self._folder = self._path = None
