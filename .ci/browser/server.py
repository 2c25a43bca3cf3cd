"""Static sites on loopback: a folder for each host name, with the headers of the site's own `_headers` file."""

import fnmatch
import http.server
import pathlib
import ssl
import threading
import urllib.parse


def rules(site):
    """The rules of `_headers`: patterns and the headers of each."""
    found = []
    for line in (site / "_headers").read_text(encoding="utf-8").splitlines():
        if line.startswith("/"):
            found.append((line, []))
        elif line.strip():
            name, value = line.strip().split(": ", 1)
            found[-1][1].append((name, value))
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a file of the folder that the server has for this host, and notes what was asked for."""

    def do_GET(self):  # pylint: disable=invalid-name
        host = self.headers.get("Host", "")
        path = urllib.parse.urlsplit(self.path).path
        self.server.requests.append((host, self.path, dict(self.headers)))
        site = self.server.sites.get(host) or self.server.sites.get(host.split(":")[0])
        if site is None:
            return self.send_error(404)
        if path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[path])
            return self.end_headers()
        file = (site / urllib.parse.unquote(path).lstrip("/")).resolve()
        file = file / "index.html" if file.is_dir() else file
        if not file.is_file() or not file.is_relative_to(site.resolve()):
            return self.send_error(404)
        body = file.read_bytes()
        self.send_response(200)
        for pattern, headers in rules(site):
            if fnmatch.fnmatchcase(path, pattern):
                for name, value in headers:
                    self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return self.wfile.write(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


class Sites:
    """A server of sites by their host names, with a certificate or without."""

    def __init__(self, sites, certificate=None):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.sites = {host: pathlib.Path(folder) for host, folder in sites.items()}
        self.server.requests = []
        self.server.redirects = {}
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_address[1]

    def take_requests(self):
        """What was asked for since this was last called."""
        taken, self.server.requests[:] = list(self.server.requests), []
        return taken
