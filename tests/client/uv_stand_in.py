"""Behaves like uv as far as a setup asks for it, and as ``FAKE_UV`` (a JSON file) tells it otherwise.

``{"hang": "torch"}``: that step never ends; ``{"fail": {"torch": "error: …"}}``: it says this and exits 2.
A step is "environment", "runtime", "torch" or "package". Every call is a line of ``calls`` beside the file.
Libraries are asked for at the index (``{"index": …}``, else ``UV_DEFAULT_INDEX``), one by one; what is
installed has a RECORD.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path


def main(arguments):
    if arguments == ["--version"]:
        print(os.environ.get("FAKE_UV_VERSION", "uv 0.13.9 (stand-in)"))
        return 0
    orders = Path(os.environ["FAKE_UV"])
    told = json.loads(orders.read_text())
    step = step_of(arguments)
    with (orders.parent / "calls").open("a") as file:
        file.write(json.dumps([step, *arguments]) + "\n")
    if step in told.get("fail", {}):
        print(told["fail"][step], file=sys.stderr)
        return 2
    if step == "environment":
        make_environment(Path(arguments[-1]))
    else:
        install(step, arguments, told.get("index", ""))
    while told.get("hang") == step:
        time.sleep(0.05)
    return 0


def step_of(arguments):
    if arguments[0] == "venv":
        return "environment"
    if "-r" in arguments:
        return "runtime"
    return "package" if arguments[-1].endswith(".whl") else "torch"


def make_environment(place):
    subprocess.run([sys.executable, "-I", "-m", "venv", "--without-pip", str(place)], check=True)


def install(step, arguments, index):
    site = site_of(Path(arguments[arguments.index("--python") + 1]))
    if step == "package":
        with zipfile.ZipFile(arguments[-1]) as file:
            file.extractall(site)
        return
    if step == "torch":
        return put(site, "torch", "2.13.0")
    for line in Path(arguments[arguments.index("-r") + 1]).read_text().splitlines():
        if line[:1].isalnum():
            name, _, version = line.split()[0].partition("==")
            fetch(name, index or os.environ.get("UV_DEFAULT_INDEX", ""))
            put(site, name, version)


def fetch(name, index):
    address = re.sub("//[^/]*@", "//", index.rstrip("/"))
    if address:
        try:
            straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            straight.open(f"{address}/{name}/", timeout=30).read()
        except OSError as error:
            sys.exit(f"error: Failed to fetch: {address}/{name}/\n  cause: HTTP status {error}")


def put(site, name, version):
    cache = Path(os.environ["UV_CACHE_DIR"])
    cache.mkdir(exist_ok=True)
    (cache / name).write_bytes(bytes(1000))
    info = f"{name}-{version}.dist-info"
    (site / info).mkdir(exist_ok=True)
    (site / f"{name}.py").write_text(f"NAME = {name!r}\n")
    size = (site / f"{name}.py").stat().st_size
    (site / info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (site / info / "RECORD").write_text(f"{name}.py,,{size}\n{info}/METADATA,,\n{info}/RECORD,,\n")


def site_of(python):
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.check_output([str(python), "-I", "-c", code], text=True).strip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
