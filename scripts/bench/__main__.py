"""Start PostgreSQL and Valkey (or use the URLs given) and run the measurements as a child on them."""

import os
import subprocess
import sys

from scripts.runtime import ROOT, default_var_dir, finish, scratch_dir
from scripts.servers import running


def main() -> int:
    """Command line: names of figures to run; none means all."""
    with running(given=os.environ) as urls, scratch_dir(default_var_dir(), "bench-") as var_dir:
        (var_dir / "static").mkdir()
        environment = dict(os.environ) | urls
        environment |= {
            "VAR_DIR": str(var_dir),
            "PORTAL_MODE": "test",
            "LOG_LEVEL": "WARNING",
            "BENCH_OUT": str(default_var_dir() / "bench.json"),
            "DJANGO_SETTINGS_MODULE": "lianyungang_gov.settings",
        }
        command = [sys.executable, "-m", "scripts.bench.figures", *sys.argv[1:]]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    finish(main)
