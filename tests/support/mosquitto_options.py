"""What options mosquitto's clients have, beside ours."""

import re

from .proc import Proc, run
from .tools import assert_ok, program

# Of all of mosquitto's clients, why ours do not show them. Those of keys in hardware are taken to say what to use.
ABSENT = {
    "--keyform": "pem is the default and taken silently; an engine's key is an OpenSSL store URI: --key pkcs11:...",
    "--tls-engine": "OpenSSL 3 has providers",
    "--tls-engine-kpass-sha1": "OpenSSL 3 has providers",
    "--ws": "a ws:// URL or --ws-path",
    "--mptcp": "the kernel's mptcpize does it for any program",
}


def options_shown_by(tool):
    """The names in our tool's --help, and --nodelay, which is hidden: it is always on."""
    text = assert_ok(run([program(tool), "--help"])).out.decode()
    return set(re.findall(r"(?m)(?:^ +|, )(--?[A-Za-z0-9][a-z0-9-]*)", text)) | {"--nodelay"}


def options_named_by(client):
    """The names that the help of a client of mosquitto explains."""
    with Proc([client, "--help"]) as proc:
        text = proc.wait().out.decode()
    return set(re.findall(r"(?m)^ (--?[A-Za-z][a-z0-9-]*) :", text))
