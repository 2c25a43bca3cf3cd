"""A published site behind nginx and Caddy: every file comes with the headers of `_headers`. Run by .ci/servers/run."""

import argparse
import contextlib
import fnmatch
import http.client
import pathlib
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse

HOST = "issuer.example"
ITEM = """{"self_attestation_complete":true,"subject":{"id":"EX-1","name":"Quillmere"},"claims":{"jurisdiction":"GB"}}"""
SETTINGS = ["_headers", "server/nginx.conf", "server/Caddyfile"]

# What some files must come with, said here once more: the rest is as `_headers` says.
EXPECTED = {
    "verify/": {
        "Content-Type": "text/html",
        "Content-Security-Policy": "frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    },
    "verify/index.html": {
        "Content-Security-Policy": "frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
    },
    "status/token/*.jwt": {"Content-Type": "application/statuslist+jwt", "Access-Control-Allow-Origin": "*"},
    "status/bitstring/*.jwt": {"Content-Type": "application/vc+jwt", "Access-Control-Allow-Origin": "*"},
    ".well-known/jwks.json": {"Content-Type": "application/jwk-set+json", "Access-Control-Allow-Origin": "*"},
}


def publish(beltic, folder):
    """An issuer's site with lists, type metadata and a page."""
    folder.mkdir(parents=True, exist_ok=True)
    run = lambda *arguments: subprocess.run([beltic, *arguments, "--quiet"], cwd=folder, check=True, capture_output=True)
    (folder / ".beltic.yaml").write_text(f"issuer: {{ did: 'did:web:{HOST}' }}\n", encoding="utf-8")
    (folder / "item.json").write_text(ITEM, encoding="utf-8")
    run("keygen")
    for proof_format in ("jwt_vc", "sd_jwt_vc"):
        run("batch-issue", "item.json", "--proof-format", proof_format, "--out", f"{proof_format}.ndjson")
    run("publish", "--out", "site")
    return folder / "site"


def rules_of(site):
    """The rules of `_headers`: a pattern, and its headers."""
    rules = []
    for line in (site / "_headers").read_text(encoding="utf-8").splitlines():
        if line.startswith("/"):
            rules.append((line, {}))
        elif line.strip():
            name, _, value = line.strip().partition(": ")
            rules[-1][1][name] = value
    return rules


def headers_of(rules, path):
    found = {}
    for pattern, headers in rules:
        if fnmatch.fnmatchcase(path, pattern):
            found |= headers
    return found


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextlib.contextmanager
def running(command, port, **options):
    """A server, once it answers, until it is no longer needed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options) as server:
        try:
            while True:
                assert server.poll() is None, server.stdout.read().decode()
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.05)
            yield
        finally:
            server.terminate()


def behind_nginx(site, folder):
    """Plain http; TLS is not the business of the settings."""
    folder.mkdir()
    [port] = free_ports(1)
    names = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    paths = "".join(f"{name}_temp_path {folder}/{name};\n" for name in names)
    user = "user root;\n" if pathlib.Path.home() == pathlib.Path("/root") else ""
    configuration = f"""{user}worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    {paths}
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        server_name {HOST};
        root {site};
        include {site}/server/nginx.conf;
    }}
}}
"""
    (folder / "nginx.conf").write_text(configuration, encoding="utf-8")
    connect = lambda: http.client.HTTPConnection("127.0.0.1", port)
    return running(["nginx", "-p", folder, "-c", folder / "nginx.conf"], port), connect


class Tls(http.client.HTTPSConnection):
    """A connection to this machine under another name, whose certificate nobody knows."""

    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        super().__init__("127.0.0.1", port, context=context)
        self.context = context

    def connect(self):
        self.sock = self.context.wrap_socket(socket.create_connection((self.host, self.port)), server_hostname=HOST)


def behind_caddy(site, folder):
    """With certificates of its own, and on other ports."""
    folder.mkdir()
    port, plain = free_ports(2)
    configuration = f"""{{
    admin off
    local_certs
    skip_install_trust
    https_port {port}
    http_port {plain}
    storage file_system {folder}/storage
}}
import {site}/server/Caddyfile
"""
    (folder / "Caddyfile").write_text(configuration, encoding="utf-8")
    command = ["caddy", "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
    environment = {"SITE": str(site), "HOME": str(folder), "PATH": "/usr/bin:/bin:/usr/local/bin"}
    return running(command, port, env=environment), lambda: Tls(port)


def get(connect, path):
    connection = connect()
    connection.request("GET", path, headers={"Host": HOST, "Origin": "https://verifier.example"})
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def check(name, site, connect):
    """Every file, and the folder of the page."""
    rules = rules_of(site)
    files = sorted(file.relative_to(site).as_posix() for file in site.rglob("*") if file.is_file())
    served = [file for file in files if file not in SETTINGS]
    for file in [*served, "verify/"]:
        path = "/" + urllib.parse.quote(file)
        status, headers, body = get(connect, path)
        content = (site / file / "index.html" if file.endswith("/") else site / file).read_bytes()
        assert (status, body) == (200, content), f"{name}: {path}: {status}"
        expected = headers_of(rules, path)
        expected |= next((more for pattern, more in EXPECTED.items() if fnmatch.fnmatchcase(file, pattern)), {})
        for header, value in expected.items():
            assert headers.get_all(header) == [value], f"{name}: {path}: {header}: {headers.get_all(header)}; {value}"
    for pattern in EXPECTED:
        assert any(fnmatch.fnmatchcase(file, pattern) for file in [*served, "verify/"]), f"no file is {pattern}"
    for file in SETTINGS:
        assert get(connect, f"/{file}")[0] == 404, f"{name} serves {file}"
    print(f"{name}: {len(served)} files and the folder of the page, each with its headers", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("beltic")
    parser.add_argument("folder", type=pathlib.Path)
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    site = publish(arguments.beltic, folder / "project")
    for name, behind in [("nginx", behind_nginx), ("caddy", behind_caddy)]:
        if shutil.which(name):
            server, connect = behind(site, folder / name)
            with server:
                check(name, site, connect)


if __name__ == "__main__":
    main()
