"""What every suite shares: the programs under test, certificates, and where temporary files go.

MQ_BIN_DIR names the directory of the programs; without it the newest build is taken.
"""

import os
import pathlib
import sys
import tempfile

import pytest

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))
sys.dont_write_bytecode = True

from support import certs as certificates  # noqa: E402  (needs the path above)
from support.directories import session_directory  # noqa: E402


def bin_dir():
    if "MQ_BIN_DIR" in os.environ:
        return pathlib.Path(os.environ["MQ_BIN_DIR"])
    builds = list((TESTS.parent / "build").glob("*/bin/mqpub"))
    if not builds:
        raise pytest.UsageError("no mqpub below build/: build first, or set MQ_BIN_DIR")
    return max(builds, key=lambda path: path.stat().st_mtime).parent


def pytest_configure(config):
    directory = bin_dir()
    for name in ("mqpub", "mqsub", "mqreq", "mqbroker"):
        if not os.access(directory / name, os.X_OK):
            raise pytest.UsageError(f"{directory / name} is not there: build first")
    os.environ["MQ_BIN_DIR"] = str(directory)
    # The user's own settings must not decide a test.
    for name in ("MQTT_URL", "MQTT_VERSION", "ALL_PROXY", "all_proxy", "NO_COLOR", "SSLKEYLOGFILE"):
        os.environ.pop(name, None)
    os.environ["XDG_CONFIG_HOME"] = "/nonexistent"


@pytest.fixture(scope="session", autouse=True)
def temporary_directory():
    with session_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def certs(temporary_directory):
    return certificates.make()


@pytest.fixture
def scratch(temporary_directory):
    """A new directory for one test."""
    return pathlib.Path(tempfile.mkdtemp(dir=temporary_directory))


@pytest.fixture
def tmp_path(scratch):
    """pytest's own is cleaned up after our directory has gone, with a traceback at the end of a good run."""
    return scratch
