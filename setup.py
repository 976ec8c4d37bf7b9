"""Puts the editors' plug-ins into the wheel, as ``palimpsest/plugins``. All else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
PLUGINS = ("krita_plugin", "gimp_plugin")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "_client")  # the client is a package of the wheel itself


class WithPlugins(build_py):
    def run(self):
        super().run()
        if self.editable_mode:  # then they are read from the checkout
            return
        target = Path(self.build_lib) / "palimpsest" / "plugins"
        shutil.rmtree(target, ignore_errors=True)
        for name in PLUGINS:
            shutil.copytree(HERE / name, target / name, ignore=LEFT_OUT)


setup(cmdclass={"build_py": WithPlugins})
