# SPDX-License-Identifier: BSD-3-Clause
"""Certificates made for a test, with the openssl program: an authority and whoever it vouches for."""
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, check=True,
                   timeout=60)


class Identity:
    """A certificate and its key: files in PEM form."""

    def __init__(self, folder, name):
        self.cert = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.key)


class Authority(Identity):
    def __init__(self, folder, name="authority"):
        super().__init__(folder, name)
        self.folder = folder
        openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", 2, "-out", self.cert)

    def issue(self, name, alternatives="", days=2):
        """`alternatives`: the names that it is for: "DNS:a.example,IP:::1". No days: it has expired."""
        identity = Identity(self.folder, name)
        request = self.folder / f"{name}.csr"
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"basicConstraints=CA:FALSE\n"
                              f"{'subjectAltName=' + alternatives if alternatives else ''}\n", encoding="ascii")
        openssl("req", "-new", "-key", identity.key, "-subj", f"/CN={name}", "-out", request)
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", identity.cert)
        return identity
