"""Throw-away certificates, made with the openssl command and kept for the length of a test session."""

import pathlib
import subprocess

from .directories import new_directory

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
WRONG_NAMES = "subjectAltName=DNS:other.example"


class Certificates:
    """A CA and what it signed, as files in `directory`.

    Attributes are paths: ca, server (good for localhost, 127.0.0.1, ::1), expired, not_yet_valid, wrong_name,
    self_signed, client, each with its key under NAME_key; other_ca signed nothing here. `rsa_bits`: the key of
    server is one of RSA, with which a signature costs many times what its check does.
    """

    def __init__(self, directory, rsa_bits=0):
        self.directory = pathlib.Path(directory)
        self._rsa_bits = rsa_bits
        self._openssl("version")
        self._authority("ca", "mq test CA")
        self._authority("other_ca", "some other CA")
        self._signed("server", "localhost", NAMES)
        self._signed("expired", "localhost", NAMES, "20200101000000Z", "20200201000000Z")
        self._signed("not_yet_valid", "localhost", NAMES, "20400101000000Z", "20400201000000Z")
        self._signed("wrong_name", "other.example", WRONG_NAMES)
        self._signed("client", "test client", "extendedKeyUsage=clientAuth")
        self._self_signed("self_signed", "localhost")
        self.directory.chmod(0o755)

    def __getattr__(self, name):
        suffix = ".key" if name.endswith("_key") else ".pem"
        path = self.directory / (name.removesuffix("_key") + suffix)
        if not path.exists():
            raise AttributeError(name)
        return path

    def _path(self, name):
        return str(self.directory / name)

    def _openssl(self, *args):
        done = subprocess.run(["openssl", *args], capture_output=True, stdin=subprocess.DEVNULL,
                              cwd=self.directory)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(args)}: {done.stderr.decode()}")

    def _key(self, name):
        kind = ("EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        if name == "server" and self._rsa_bits:
            kind = ("RSA", "-pkeyopt", f"rsa_keygen_bits:{self._rsa_bits}")
        self._openssl("genpkey", "-algorithm", *kind, "-out", f"{name}.key")
        (self.directory / f"{name}.key").chmod(0o644)  # a broker may drop its privileges

    def _authority(self, name, subject):
        self._key(name)
        self._openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject}",
                      "-days", "3650", "-out", f"{name}.pem",
                      "-addext", "basicConstraints=critical,CA:TRUE",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def _self_signed(self, name, subject):
        self._key(name)
        self._openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject}",
                      "-days", "3650", "-out", f"{name}.pem", "-addext", NAMES)

    def _signed(self, name, subject, extension, start=None, end=None):
        self._key(name)
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={subject}",
                      "-out", f"{name}.csr")
        (self.directory / f"{name}.ext").write_text(f"{extension}\n")
        if start is None:
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                          "-CAcreateserial", "-days", "3650", "-extfile", f"{name}.ext",
                          "-out", f"{name}.pem")
        else:
            self._dated(name, start, end)

    def _dated(self, name, start, end):
        """`openssl x509` of OpenSSL 3.0 cannot set the dates; `openssl ca` can."""
        (self.directory / "index.txt").write_text("")
        (self.directory / "ca.conf").write_text(
            "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        self._openssl("ca", "-batch", "-notext", "-config", "ca.conf", "-in", f"{name}.csr",
                      "-cert", "ca.pem", "-keyfile", "ca.key", "-startdate", start, "-enddate", end,
                      "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def make(rsa_bits=0):
    """Certificates in a new directory."""
    return Certificates(new_directory("certs-"), rsa_bits)
