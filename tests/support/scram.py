"""SCRAM (RFC 5802) by hashlib and hmac alone: the other implementation that ours has to meet."""

import base64
import hashlib
import hmac

HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


def _b64(data):
    return base64.b64encode(data).decode()


class ScramServer:
    """One exchange: first(client-first) gives server-first, final(client-final) server-final."""

    def __init__(self, method, user, password, *, salt=b"a salt of sixteen", iterations=4096, nonce="+server/nonce"):
        self.hash = HASHES[method]
        self.expected_user = user
        self.salt, self.iterations, self.server_nonce = salt, iterations, nonce
        self.salted = hashlib.pbkdf2_hmac(self.hash, password.encode(), salt, iterations)

    def _hmac(self, key, text):
        return hmac.new(key, text.encode() if isinstance(text, str) else text, self.hash).digest()

    def first(self, client_first):
        text = client_first.decode()
        assert text.startswith("n,,"), text
        self.bare = text[3:]
        name, nonce = self.bare.split(",", 1)
        assert name.startswith("n=") and nonce.startswith("r="), text
        self.user = name[2:].replace("=2C", ",").replace("=3D", "=")
        self.client_nonce = nonce[2:]
        self.server_first = f"r={self.client_nonce}{self.server_nonce},s={_b64(self.salt)},i={self.iterations}"
        return self.server_first.encode()

    def final(self, client_final):
        """None if the client has not proven that it knows the password."""
        text, _, proof = client_final.decode().rpartition(",p=")
        assert text == f"c=biws,r={self.client_nonce}{self.server_nonce}", text
        signed = f"{self.bare},{self.server_first},{text}"
        stored_key = hashlib.new(self.hash, self._hmac(self.salted, "Client Key")).digest()
        signature = self._hmac(stored_key, signed)
        client_key = bytes(a ^ b for a, b in zip(base64.b64decode(proof, validate=True), signature, strict=True))
        if hashlib.new(self.hash, client_key).digest() != stored_key or self.user != self.expected_user:
            return None
        return b"v=" + base64.b64encode(self._hmac(self._hmac(self.salted, "Server Key"), signed))


class ScramClient:
    """One exchange: first() gives client-first, final(server-first) client-final, check(server-final)."""

    def __init__(self, method, user, password, *, nonce="clients+nonce"):
        self.hash, self.password = HASHES[method], password
        self.bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self.nonce = nonce

    def _hmac(self, key, text):
        return hmac.new(key, text.encode(), self.hash).digest()

    def first(self):
        return f"n,,{self.bare}".encode()

    def final(self, server_first):
        text = server_first.decode()
        nonce, salt, iterations = (part[2:] for part in text.split(","))
        assert nonce.startswith(self.nonce) and len(nonce) > len(self.nonce), text
        salted = hashlib.pbkdf2_hmac(self.hash, self.password.encode(), base64.b64decode(salt), int(iterations))
        key = self._hmac(salted, "Client Key")
        without_proof = f"c=biws,r={nonce}"
        signed = f"{self.bare},{text},{without_proof}"
        signature = self._hmac(hashlib.new(self.hash, key).digest(), signed)
        self.expected = b"v=" + base64.b64encode(self._hmac(self._hmac(salted, "Server Key"), signed))
        return f"{without_proof},p={_b64(bytes(a ^ b for a, b in zip(key, signature)))}".encode()

    def check(self, server_final):
        assert server_final == self.expected, server_final
