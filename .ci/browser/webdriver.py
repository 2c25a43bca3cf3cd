"""A browser, driven over WebDriver: Debian's chromium and chromium-driver, with nothing but the standard library."""

import base64
import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def find_browser():
    """The browser and its driver, or what is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """A headless browser that reaches every host name at one port of this machine, and no other machine.

    `plain` are hosts that are reached without TLS, each with its port.
    """

    def __init__(self, browser, driver, server_port, profile, plain=()):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [driver, f"--port={port}", "--allowed-ips=127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        places = [*plain, ("*", server_port)]
        arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={profile}",
            # The sites of the test have names of their own, and a certificate that nobody else signed.
            f"--host-resolver-rules={', '.join(f'MAP {host} 127.0.0.1:{port}' for host, port in places)}",
            "--ignore-certificate-errors",
            "--disable-component-update",
            "--disable-background-networking",
            "--disable-sync",
            "--disable-renderer-backgrounding",
            "--disable-features=AutofillServerCommunication,HttpsUpgrades",
            "--no-first-run",
            "--lang=en-GB",
        ]
        options = {"binary": browser, "args": arguments}
        capabilities = {"alwaysMatch": {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}
        self.session = f"/session/{self._start(capabilities)['sessionId']}"
        # Time limits of the driver are an hour: none of them decides whether a test passes.
        self.post("/timeouts", {"script": 3_600_000, "pageLoad": 3_600_000})

    def _start(self, capabilities):
        while True:
            try:
                return self._call("POST", "/session", {"capabilities": capabilities})
            except urllib.error.URLError as error:
                if self.process.poll() is not None or isinstance(error, urllib.error.HTTPError):
                    raise
                time.sleep(0.05)  # The driver does not listen yet.

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["value"]

    def post(self, path, body):
        try:
            return self._call("POST", self.session + path, body)
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        self.post("/url", {"url": url})

    def run(self, script, *arguments):
        """Runs a script in the page, and waits for the promise that it returns."""
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def send_file(self, selector, path):
        element = self.post("/element", {"using": "css selector", "value": selector})[ELEMENT]
        self.post(f"/element/{element}/value", {"text": str(path)})

    def devtools(self, command, **parameters):
        return self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def log(self):
        """What the page wrote to the console, or broke of its policy, since this was last asked."""
        return [entry["message"] for entry in self.post("/se/log", {"type": "browser"})]

    def screenshot(self, path, width, dark):
        """A picture of the whole page, as wide as this."""
        scheme = "dark" if dark else "light"
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        size = {"width": width, "deviceScaleFactor": 1, "mobile": width < 600}
        self.devtools("Emulation.setDeviceMetricsOverride", height=800, **size)
        height = self.run("return document.documentElement.scrollHeight")
        self.devtools("Emulation.setDeviceMetricsOverride", height=max(height, 400), **size)
        overflow = self.run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
        picture = self.devtools("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(picture))
        self.devtools("Emulation.clearDeviceMetricsOverride")
        assert overflow <= 0, f"{path}: the page is {overflow} pixels too wide"

    def print(self, path):
        path.write_bytes(base64.b64decode(self.post("/print", {"page": {"width": 21.0, "height": 29.7}})))

    def close(self):
        with contextlib.suppress(OSError, RuntimeError):
            self._call("DELETE", self.session)
        self.process.terminate()
        self.process.wait()
