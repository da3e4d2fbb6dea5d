"""Directories that are gone when what made them has ended."""

import atexit
import contextlib
import os
import pathlib
import shutil
import tempfile

from .ports import wait_until

SECONDS = 30


def new_directory(prefix):
    """Until this process ends; of a test, until its session does."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@contextlib.contextmanager
def session_directory():
    """Where all that a session makes goes, its programs' temporary files too; short enough for the paths of unix sockets.
    To remove it takes that nothing of the session still writes there."""
    directory, before = tempfile.mkdtemp(prefix="mq-"), os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = directory
    yield pathlib.Path(directory)
    tempfile.tempdir = None
    os.environ.pop("TMPDIR")
    os.environ.update({"TMPDIR": before} if before else {})

    def is_gone():
        shutil.rmtree(directory, ignore_errors=True)
        return not os.path.exists(directory)
    wait_until(is_gone, SECONDS, f"the end of what writes to {directory}")
