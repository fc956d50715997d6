# SPDX-License-Identifier: BSD-3-Clause
"""TLS: what is accepted, and the sentence for what is not."""
import re
import socket
import ssl
import subprocess
import threading

import pytest

import certificates
import processes
import program
import real_cluster
import real_server

LOCAL = "DNS:localhost,IP:127.0.0.1"


@pytest.fixture(scope="session", autouse=True)
def has_tls():
    said = subprocess.run([program.PATH, "--version"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    if "TLS: none" in said:
        pytest.skip("the program was built without TLS")


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def good(authority):
    return authority.issue("good", LOCAL)


@pytest.fixture(scope="session")
def client(authority):
    return authority.issue("client")


@pytest.fixture
def make_tls_server(make_server, authority, good):
    """Starts servers with a TLS port, `tls_port`, beside the plain one: make_tls_server("--tls-auth-clients", "yes")."""

    def make(*options, identity=good, **settings_of_server):
        port = real_server.free_port()
        settings = {"--tls-port": port, "--tls-cert-file": identity.cert, "--tls-key-file": identity.key,
                    "--tls-ca-cert-file": authority.cert, "--tls-auth-clients": "no"}
        settings.update(zip(options[::2], options[1::2]))
        server = make_server(*[word for pair in settings.items() for word in pair], **settings_of_server)
        server.tls_port = port
        return server

    return make


def refusal(run, *arguments):
    return run("-n", 10, "-c", 1, *arguments).refusal()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_run(run, make_tls_server, authority, host, version):
    server = make_tls_server("--tls-protocols", version)
    report = run("--tls", "--cacert", authority.cert, "-h", host, "-p", server.tls_port, "-n", 100003, "-c", 50,
                 "-P", 16, "--processes", 2, "--threads", 2).expect(0).report
    assert report.completed == report.issued == server.calls("set") == 100003
    assert re.fullmatch(rf"verified, {version}, \S+", report.text_of("How It Ran", "TLS"))
    assert report.errors == report.unanswered == 0


@pytest.mark.parametrize("names, right", [(LOCAL, True), ("DNS:localhost", False)], ids=["all", "one"])
def test_a_cluster(run, tmp_path, authority, names, right):
    """Each node must prove that it is who it is, not who was asked first."""
    cluster = real_cluster.RealCluster(tmp_path, replicas=0, tls=(authority, authority.issue("node", names)))
    arguments = ("--cluster", "--tls", "--cacert", authority.cert, "-h", "localhost", "-p", cluster.nodes[0].tls_port,
                 "-n", 3000, "--sequential", 3000, "-c", 4, "--processes", 2, "--connection-timeout", 500)
    try:
        if right:
            report = run(*arguments).expect(0).report
            assert report.completed == cluster.size() == 3000
            report = run(*arguments, "-3", "--reconnect-interval", 10).expect(0).report
            assert report.completed == report.issued == 3000
            assert report.number("Events", "planned reconnects") >= 250
        else:
            result = run(*arguments).expect(1)
            assert 'its certificate is not for "127.0.0.1"' in result.err
            assert cluster.size() == 0
    finally:
        cluster.stop()


def test_large_values(run, make_tls_server, authority):
    server = make_tls_server()
    for kind in ("set", "get"):
        report = run("--tls", "--cacert", authority.cert, "-p", server.tls_port, "-n", 500, "-c", 8, "-P", 4,
                     "--type", kind, "--datasize", 200000, "--sequential", 10).expect(0).report
        assert report.completed == 500
        assert report.errors == 0


def test_an_unknown_authority(run, make_tls_server, tmp_path):
    server = make_tls_server()
    other = certificates.Authority(tmp_path, "other")
    for trust in ([], ["--cacert", other.cert], ["--cacertdir", tmp_path]):
        sentence = refusal(run, "--tls", "-p", server.tls_port, *trust)
        assert f"127.0.0.1:{server.tls_port}: its certificate is not from an authority that is trusted" in sentence
        assert "--cacert" in sentence and "--insecure" in sentence


def test_a_directory_of_authorities(run, make_tls_server, authority, tmp_path):
    server = make_tls_server()
    (tmp_path / "ca.crt").write_bytes(authority.cert.read_bytes())
    certificates.openssl("rehash", tmp_path)
    run("--tls", "-p", server.tls_port, "--cacertdir", tmp_path, "-n", 100).expect(0)


def test_a_wrong_name(run, make_tls_server, authority):
    server = make_tls_server(identity=authority.issue("elsewhere", "DNS:elsewhere.example"))
    tls = ["--tls", "--cacert", authority.cert, "-p", server.tls_port]
    sentence = refusal(run, *tls)
    assert 'its certificate is not for "127.0.0.1"' in sentence
    assert "--sni" in sentence and "--host" in sentence
    assert 'its certificate is not for "nowhere.example"' in refusal(run, *tls, "--sni", "nowhere.example")
    run(*tls, "--sni", "elsewhere.example", "-n", 100).expect(0)
    run(*tls, "--insecure", "-n", 100).expect(0)


def test_ipv6(run, make_tls_server, authority):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 here")
    server = make_tls_server(identity=authority.issue("six", "IP:::1"), bind="::1")
    assert run("-u", f"valkeys://[::1]:{server.tls_port}", "--cacert", authority.cert, "-n", 100).expect(0).report.completed == 100
    server = make_tls_server(identity=authority.issue("four", LOCAL), bind="::1")
    assert '"::1"' in refusal(run, "-u", f"valkeys://[::1]:{server.tls_port}", "--cacert", authority.cert)


def test_an_expired_certificate(run, make_tls_server, authority):
    server = make_tls_server(identity=authority.issue("expired", LOCAL, days=0))
    assert "its certificate has expired" in refusal(run, "--tls", "--cacert", authority.cert, "-p", server.tls_port)
    report = run("--tls", "--insecure", "-p", server.tls_port, "-n", 100).expect(0).report
    assert report.text_of("How It Ran", "TLS").startswith("not verified, TLSv1.")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_client_certificate(run, make_tls_server, authority, client, tmp_path, version):
    server = make_tls_server("--tls-auth-clients", "yes", "--tls-protocols", version)
    tls = ["--tls", "--cacert", authority.cert, "-p", server.tls_port]
    sentence = refusal(run, *tls)
    assert "it wants a certificate of the client" in sentence
    assert "--cert and --key" in sentence
    stranger = certificates.Authority(tmp_path, "other").issue("stranger")
    assert "the certificate of --cert" in refusal(run, *tls, "--cert", stranger.cert, "--key", stranger.key)
    report = run(*tls, "--cert", client.cert, "--key", client.key, "-n", 1000).expect(0).report
    assert report.completed == server.calls("set") == 1000


def test_tls_to_a_plain_port(run, server):
    sentence = refusal(run, "--tls", "-p", server.port)
    assert "timed out. If that port does not speak TLS, leave out --tls" in sentence


def test_tls_to_a_port_that_answers_with_something_else(run):
    for words in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-ERR unknown command\r\n"):
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def answer():
                sock, _ = listener.accept()
                with sock:
                    sock.recv(10)
                    sock.sendall(words)
                    sock.recv(100000)

            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            sentence = refusal(run, "--tls", "-p", listener.getsockname()[1])
            assert "that port does not speak TLS; leave out --tls" in sentence
            thread.join(10)


def test_a_plain_run_to_a_tls_port(run, make_tls_server):
    sentence = refusal(run, "-p", make_tls_server().tls_port)
    assert "--tls" in sentence


def test_ciphers(run, make_tls_server, authority):
    server = make_tls_server("--tls-ciphersuites", "TLS_AES_128_GCM_SHA256", "--tls-ciphers",
                             "ECDHE-ECDSA-AES128-GCM-SHA256")
    tls = ["--tls", "--cacert", authority.cert, "-p", server.tls_port]
    other = ["--tls-ciphersuites", "TLS_AES_256_GCM_SHA384", "--tls-ciphers", "ECDHE-ECDSA-AES256-GCM-SHA384"]
    assert "no cipher in common" in refusal(run, *tls, *other)
    report = run(*tls, "--tls-ciphersuites", "TLS_AES_128_GCM_SHA256", "-n", 100).expect(0).report
    assert report.text_of("How It Ran", "TLS") == "verified, TLSv1.3, TLS_AES_128_GCM_SHA256"


@pytest.mark.parametrize("arguments, sentence", [
    (["--cacert", "ca.crt"], "--cacert needs --tls."),
    (["--insecure"], "--insecure needs --tls."),
    (["--tls", "--cert", "a.crt"], "--cert needs --key, the private key of that certificate."),
    (["--tls", "--cacert", "/nonexistent"], "Could not read --cacert /nonexistent: No such file or directory."),
    (["--tls", "--tls-ciphers", "NOPE"], 'no cipher match'),
    (["--tls-skip-verify"], "--tls-skip-verify is not an option here; use --insecure."),
    (["--tls-protocols", "TLSv1.2"], "--tls-protocols has no counterpart here."),
])
def test_refused_options(run, arguments, sentence):
    assert sentence in refusal(run, *arguments)


def test_clients_that_are_killed_come_back(start, make_tls_server, authority):
    server = make_tls_server()
    program_ = start("--tls", "--cacert", authority.cert, "-p", server.tls_port, "--qps", 2000, "--test-duration", 4,
                     "-c", 20, "--threads", 2)
    processes.wait_until(lambda: server.calls("set") > 100, "requests")
    killed = server.client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert killed >= 20
    report = program_.wait().expect(0).report
    assert abs(report.due - 8000) <= 1
    assert report.issued == report.completed + report.errors + report.unanswered
    assert report.errors <= killed
    assert server.calls("set") - report.errors <= report.completed <= server.calls("set")


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_connection_for_each_request(run, make_tls_server, authority, version):
    server = make_tls_server("--tls-protocols", version, password="pw")
    report = run("-u", f"valkeys://pw@127.0.0.1:{server.tls_port}/0", "--cacert", authority.cert, "-n", 500, "-c", 5,
                 "-k", 0).expect(0).report
    assert report.completed == server.calls("set") == 500
    assert report.errors == 0
    for part in ("Connect", "TLS", "Handshake"):
        assert report.has("Time to Connect (ms)", part)


class ShortServer:
    """Speaks TLS on connections that it closes after two requests each; notes which resumed a session."""

    def __init__(self, identity, version):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity.cert, identity.key)
        self.context.minimum_version = self.context.maximum_version = version
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.resumed = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            sock, _ = self.listener.accept()
            try:
                with self.context.wrap_socket(sock, server_side=True) as tls:
                    self.resumed.append(tls.session_reused)
                    for _ in range(2):
                        if tls.recv(65536):
                            tls.sendall(b"+OK\r\n")
            except OSError:
                pass


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed(run, authority, good, version):
    server = ShortServer(good, version)
    result = run("--tls", "--cacert", authority.cert, "-p", server.port, "-n", 20, "-c", 1, "--threads", 1,
                 "--processes", 1).expect(0)
    assert result.report.completed + result.report.errors == 20
    # The first two are the probe's and the worker's.
    assert len(server.resumed) > 3
    assert server.resumed == [False, False] + [True] * (len(server.resumed) - 2)


def test_a_handshake_is_bounded(run):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentence = refusal(run, "--tls", "-p", silent.getsockname()[1], "--connection-timeout", 300)
    assert re.search(r"timed out", sentence)
    assert "--connection-timeout" in sentence
