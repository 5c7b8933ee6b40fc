"""nginx as a child process, for the scenarios and the benchmarks: its own port, folder and process. Standard library
only. Lifecycle: `with Nginx(...)` starts it and ends it by its process."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

from souk_client import PATIENCE, TREE

# None: there is none.
PROGRAM = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

# The program's own places: nothing of the system's nginx is touched.
MAIN = """worker_processes 1; daemon off; pid {home}/nginx.pid; error_log {home}/error.log warn;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
{http} }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """Serves `http`, the inside of an http block; {port} and {home} in it are filled in with replace()."""

    def __init__(self, http):
        self.home = tempfile.mkdtemp(prefix="souk-nginx-")
        os.chmod(self.home, 0o755)  # its workers may be another user
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._conf = os.path.join(self.home, "nginx.conf")
        with open(self._conf, "w", encoding="utf-8") as file:
            file.write(MAIN.format(home=self.home, http=http.replace("{port}", str(self.port)).replace(
                "{home}", self.home)))
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([PROGRAM, "-c", self._conf, "-p", self.home], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.__exit__()
        raise RuntimeError("nginx did not start")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        if self.home:
            shutil.rmtree(self.home, ignore_errors=True)

    def log(self):
        with open(os.path.join(self.home, "error.log"), encoding="utf-8", errors="replace") as file:
            return file.read()


def souk_cache(souk_address):
    """The configuration that we ship, with the addresses of this run."""
    with open(os.path.join(TREE, "deploy", "nginx", "souk-cache.conf"), encoding="utf-8") as file:
        text = file.read()
    for ours, here in (("127.0.0.1:8080", souk_address), ("127.0.0.1:8081", "127.0.0.1:{port}"),
                       ("/var/cache/nginx/souk", "{home}/cache")):
        assert text.count(ours) == 1, ours
        text = text.replace(ours, here)
    return text
