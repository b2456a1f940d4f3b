"""What can be asked of the set-up, and what each errand needs on the machine first."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import browser
import debian
import dependencies
import postgis
from ground import CHECKOUT, VAR, SetUpError, alone, programs_module, say

CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("lint-imports", "--no-logo"))


def main(words: list[str]) -> NoReturn:
    """Do one errand; leave with the exit code of what was run."""
    errands = {"run": _run, "test": _test, "check": _check, "bench": _bench, "lock": _lock}
    errand = errands.get(words[0]) if words else None
    if errand is None:
        sys.exit(f"menpai: say what to do: python3 .setup {'|'.join(errands)}")
    try:
        sys.exit(errand(words[1:]))
    except (SetUpError, programs_module().ClusterError) as error:
        sys.exit(f"menpai: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _run(words: list[str]) -> int:
    _prepare("run", server=True)
    return _become("-m", "api.cli", "run", *words)


def _test(words: list[str]) -> int:
    _prepare("test", server=True, pages=True)
    return _become("-m", "pytest", *words, **browser.settings())


def _bench(words: list[str]) -> int:
    _prepare("bench", server=True)
    names = ("-o", "python_files=bench_*.py test_*.py", "-o", "python_functions=bench_* test_*")
    return _become("-m", "pytest", "-s", *names, *(words or ["tests/bench"]))


def _check(_words: list[str]) -> int:
    """Run every check, so that one report names all that is wrong."""
    _prepare("test")
    failed = [
        " ".join(check)
        for check in CHECKS
        if subprocess.run([str(dependencies.VENV / "bin" / check[0]), *check[1:]], cwd=CHECKOUT, check=False).returncode
    ]
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _lock(_words: list[str]) -> int:
    with alone():
        dependencies.lock()
    return 0


def _prepare(group: str, *, server: bool = False, pages: bool = False) -> None:
    """Bring everything onto this machine that is not there yet, all packages in one go."""
    with alone():
        debian.finish_unpacking()
        needs_server = server and postgis.missing()
        others = [dependencies.PIP_PACKAGE] if dependencies.pip_missing() else []
        others += browser.missing() if pages else []
        others += [browser.FONT_PACKAGE] if server and browser.font_missing() else []
        if (needs_server or others) and debian.available():
            debian.provide(lambda on_offer: [postgis.package(on_offer)] * needs_server + others)
        elif needs_server:
            raise SetUpError(postgis.BY_HAND)
        elif others:
            say(f"no apt here to fetch {', '.join(others)}; going on without")
        dependencies.provide(group)


def _become(*words: str, **variables: str) -> NoReturn:
    """Turn into the program, so that signals reach it and not a parent that waits for it."""
    os.chdir(CHECKOUT)
    environment = dict(os.environ) | {"MENPAI_VAR": str(VAR), "PYTHONSAFEPATH": "1"} | variables
    python = str(dependencies.PYTHON)
    environment["PATH"] = f"{Path(python).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
    os.execve(python, [python, *words], environment)  # noqa: S606 - no shell is wanted
