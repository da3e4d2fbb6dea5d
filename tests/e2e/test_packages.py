"""libmqtt as others get it: what `cmake --install` brings of it, its manual, and the Debian packages."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support.directories import new_directory
from support.proc import run
from support.tools import program

BUILD = program("mqpub").parent.parent
TOOLS = ["mqbench", "mqbroker", "mqpub", "mqreq", "mqspy", "mqsub"]
LAYERS = ["auth", "bridge", "broker", "client", "codec", "inspect", "net", "server", "session", "store", "util"]
COMPILE = ["g++", "-std=c++23", "-Wall", "-Wextra", "-Werror"]


def do(*command, **how):
    """Runs it to its end, which must be a good one; its output."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, text=True, **how)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def usr(temporary_directory):
    """Installed for /usr, but in another place by DESTDIR: nothing of it may know where it was to be."""
    root = new_directory("root-")
    do("cmake", "--install", BUILD, "--prefix", "/usr", env=dict(os.environ, DESTDIR=str(root)))
    return root / "usr"


@pytest.fixture(scope="module")
def flags(usr):
    """What pkg-config says of packages, by an option."""
    found = os.pathsep.join(str(path.parent) for path in usr.rglob("libmqtt.pc"))
    return lambda option, *names: do("pkg-config", option, *names, env=dict(os.environ, PKG_CONFIG_PATH=found)).split()


@pytest.fixture(scope="module")
def consumer(usr):
    """The installed examples, built by the installed CMake package."""
    where = new_directory("consumer-")
    shutil.copytree(usr / "share" / "doc" / "mq" / "examples", where / "examples")
    do("cmake", "-S", where / "examples", "-B", where / "built", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={usr}")
    do("cmake", "--build", where / "built")
    return where


def test_a_project_elsewhere_finds_the_library_and_its_programs_run(consumer):
    said = do("ctest", "--test-dir", consumer / "built", "--output-on-failure")
    assert "100% tests passed, 0 tests failed out of 2" in said, said
    for line in (consumer / "built" / "CMakeCache.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("libmqtt_DIR"):
            assert line.endswith("/usr/lib/cmake/libmqtt") or re.search(r"/usr/lib/[^/]+/cmake/libmqtt$", line), line


def test_pkg_config_is_enough_for_the_compiler(consumer, flags):
    do(*COMPILE, "examples/decode_packet.cpp", "-o", "decode", *flags("--cflags", "libmqtt-inspect"),
       *flags("--libs", "libmqtt-inspect"), cwd=consumer)
    assert do(consumer / "decode") == "PUBLISH  q1 #7 a/b 2B on\n"
    compiled = next((consumer / "built").rglob("embedded_broker.cpp.o"))
    do("g++", compiled, "-o", "broker", *flags("--libs", "libmqtt-server", "libmqtt-client"), cwd=consumer)
    assert do(consumer / "broker").endswith("greeting: hello\n")


def test_each_layer_has_its_archive_headers_and_names(usr, flags):
    assert flags("--modversion", "libmqtt") == [do(program("mqpub"), "--version").split()[1]]
    for layer in LAYERS:
        assert f"-lmqtt_{layer}" in flags("--libs", "libmqtt"), layer
        assert f"-lmqtt_{layer}" in flags("--libs", f"libmqtt-{layer}"), layer
        assert list(usr.rglob(f"libmqtt_{layer}.a")) and list((usr / "include/libmqtt/mqtt" / layer).glob("*.hpp")), layer


def test_installed_headers_need_each_other_and_the_standard_libraries_alone(usr, flags, tmp_path):
    include = usr / "include" / "libmqtt"
    headers = sorted(include.rglob("*.hpp"))
    assert len(headers) > 100, headers
    foreign = {name for header in headers for name in re.findall(r"#include <([^>]*)>", header.read_text(encoding="utf-8"))
               if not name.startswith("mqtt/") and re.search(r"\.h|/", name)}
    assert foreign <= {"netinet/in.h", "sys/socket.h", "sys/types.h", "sys/uio.h", "unistd.h"}, foreign
    source = tmp_path / "all.cpp"
    source.write_text("".join(f"#include <{header.relative_to(include)}>\n" for header in headers), encoding="utf-8")
    do(*COMPILE, "-fsyntax-only", *flags("--cflags", "libmqtt"), source)


def test_the_manual_of_the_library_is_made_without_a_warning_and_names_every_type(tmp_path):
    settings = BUILD / "libmqtt" / "Doxyfile.docs"
    own = tmp_path / "Doxyfile"
    for extra in ("", "EXTRACT_ALL = NO\nWARN_AS_ERROR = NO\nGENERATE_HTML = NO\n"):
        own.write_text(f"@INCLUDE = \"{settings}\"\nOUTPUT_DIRECTORY = \"{tmp_path}\"\n{extra}", encoding="utf-8")
        said = do("doxygen", own)
        bare = [line for line in said.splitlines() if re.search(r": (warning|error): Compound .* is not documented", line)]
        assert not bare, "\n".join(bare)
        assert extra or said == "", said
    assert (tmp_path / "html" / "classmqtt_1_1Client.html").exists()


@pytest.fixture(scope="module")
def packages(temporary_directory):
    """The Debian packages of this build. It may be a release with OpenSSL linked in, as no distribution wants it."""
    out = new_directory("packages-")
    # gzip: to compress as the real ones are takes most of the time.
    do("cpack", "--config", BUILD / "CPackConfig.cmake", "-B", out, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip")
    made = {path.name.split("_")[0]: path for path in out.glob("*.deb")}
    assert sorted(made) == ["libmqtt-dev", "mq-tools"], made
    return made


@pytest.fixture(scope="module")
def unpacked(packages):
    root = new_directory("unpacked-")
    for package in packages.values():
        do("dpkg-deb", "-x", package, root)
    return root


def test_lintian_finds_nothing_in_the_packages(packages):
    # What follows from this build's options and not from the packages: OpenSSL within, programs of one address, no hardening,
    # no directory of Debian's for each machine, which the prefix /usr brings.
    of_this_build = ["embedded-library", "hardening-no-pie", "hardening-no-fortify-functions",
                     "pkg-config-unavailable-for-cross-compilation"]
    not_asked = ["initial-upload-closes-no-bugs"]  # they are not made for Debian's archive, which has a number for each new one
    said = do("lintian", "--allow-root", "--suppress-tags", ",".join(of_this_build + not_asked), *packages.values())
    assert not re.findall(r"^[EW]: .*", said, re.M), said


def test_the_packages_have_what_they_name(packages, unpacked):
    names = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*") if not path.is_dir()}
    for tool in TOOLS:
        assert run([unpacked / "usr/bin" / tool, "--version"]).code == 0
    pages = {path.name for path in (pathlib.Path(__file__).parents[2] / "man").glob("*.[1-8]")}
    assert pages and {f"usr/share/man/man{page[-1]}/{page}.gz" for page in pages} <= names, names
    assert {f"usr/share/doc/{package}/{file}" for package in packages
            for file in ("copyright", "changelog.gz", "changelog.Debian.gz")} <= names, names
    assert {"etc/mq/mqbroker.toml", "usr/lib/systemd/system/mqbroker.service", "usr/share/mq/mq-message.schema.json",
            "usr/include/libmqtt/mqtt/client/client.hpp", "usr/share/doc/libmqtt-dev/examples/CMakeLists.txt"} <= names, names
    odd = [name for name in names if not re.match(r"etc/mq/|usr/(bin|include/libmqtt|lib|share)/", name)]
    assert not odd, odd
    assert run([unpacked / "usr/bin/mqbroker", "-c", unpacked / "etc/mq/mqbroker.toml", "--check-config"]).code == 0
    unit = (unpacked / "usr/lib/systemd/system/mqbroker.service").read_text(encoding="utf-8")
    assert "ExecStart=/usr/bin/mqbroker -c /etc/mq/mqbroker.toml\n" in unit, unit
    control = do("dpkg-deb", "--field", packages["mq-tools"], "Depends", "Maintainer")
    assert re.search(r"libc6 \(>= 2\.\d+\)", control) and "libuv1" in control and "the mq authors" in control, control
    assert do("dpkg-deb", "--info", packages["mq-tools"], "conffiles") == "/etc/mq/mqbroker.toml\n"
