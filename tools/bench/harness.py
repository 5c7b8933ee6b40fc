"""What the benchmarks share: the table that is printed, and wrk as the load generator."""
import os
import re
import subprocess
import sys

CONNECTIONS = 64

WRK_DONE = """done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT %f %f %f %f %d\\n', summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000,
    errors.status + errors.connect + errors.read + errors.timeout))
end
"""
# One target, or those of many products in turn; both servers get the same.
WRK_READ = """local n = 0
local paths = {{{paths}}}
local requests = {{}}
init = function() for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path) end end
request = function()
  n = n % #requests + 1
  return requests[n]
end
"""


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, per_second, p50_ms, p99_ms, p999_ms, errors, note=""):
        row = (what, f"{per_second:,.0f}", f"{p50_ms:.2f}", f"{p99_ms:.2f}", f"{p999_ms:.2f}", str(errors), note)
        self.rows.append(row)
        print(f"  {what}: {row[1]}/s", file=sys.stderr, flush=True)

    def show(self):
        heads = ("what", "per second", "p50 ms", "p99 ms", "p99.9 ms", "errors", "note")
        print("| " + " | ".join(heads) + " |")
        print("|---|---:|---:|---:|---:|---:|---|")
        for row in self.rows:
            print("| " + " | ".join(row) + " |")


def run_wrk(home, address, lua, seconds, connections=CONNECTIONS):
    """requests/s, p50, p99, p99.9 in ms, errors."""
    script = os.path.join(home, "wrk.lua")
    with open(script, "w", encoding="utf-8") as file:
        file.write(lua)
    said = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, f"http://{address}"],
                          capture_output=True, text=True, check=True).stdout
    rate, p50, p99, p999, errors = re.search(r"RESULT (\S+) (\S+) (\S+) (\S+) (\d+)", said).groups()
    return float(rate), float(p50), float(p99), float(p999), int(errors)
