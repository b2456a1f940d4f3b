"""Debian packages: installed with root or sudo, or unpacked into MENPAI_VAR for a user without rights."""

import grp
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ground import PACKAGES, VAR, SetUpError, run, say

NO_CLUSTER = Path("/etc/postgresql-common/createcluster.d/menpai.conf")
APT = VAR / "apt"
UNPACKING = APT / "unpacking"
"""A mark: everything is fetched, not everything is unpacked."""
PATIENCE_S = 600
LIBRARY_FOLDERS = ("", "nss", "pulseaudio")
"""Folders whose libraries an installed program would find by links or by a path of its own."""


def available() -> bool:
    """Tell whether this machine has Debian's packages at all."""
    return bool(shutil.which("apt-get") and shutil.which("dpkg-deb"))


def provide(choose: Callable[[Callable[[str], list[str]]], list[str]]) -> None:
    """Bring packages onto this machine; ``choose`` picks them from a look-up of the names on offer by their beginning.

    Raises:
        SetUpError: apt could not do it.
    """
    power = _power()
    apt = ["-qq", "-oAcquire::Retries=3", f"-oDPkg::Lock::Timeout={PATIENCE_S}"]
    apt += _private_options() if power is None else []
    _refresh([*(power or []), "apt-get", *apt, "update"])
    packages = choose(lambda beginning: run(["apt-cache", *apt, "pkgnames", beginning]).split())
    if power is None:
        _unpack(apt, packages)
    else:
        _install(power, apt, packages)


def relocated() -> dict[str, str]:
    """Return the library path of an unpacked program, for its process only."""
    libraries = [folder for lib in ("usr/lib", "lib") for folder in sorted(PACKAGES.glob(f"{lib}/*-linux-gnu*"))]
    folders = [str(folder / part) for folder in libraries for part in LIBRARY_FOLDERS]
    return {"LD_LIBRARY_PATH": ":".join(folders)}


def _power() -> list[str] | None:
    """Return what to put before a command to run it as root; None without rights."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if not sudo:
        return None
    if subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return [sudo] if sys.stdin.isatty() and _may_sudo() and _let_in(sudo) else None


def _may_sudo() -> bool:
    """Ask for a password only those whom sudo would let through: others would be reported to their administrator."""
    return any(grp.getgrgid(group).gr_name in {"sudo", "wheel", "admin"} for group in os.getgroups())


def _let_in(sudo: str) -> bool:
    say("missing packages will be installed with sudo; without your password they are unpacked into MENPAI_VAR instead")
    return subprocess.run([sudo, "-v"], check=False).returncode == 0


def _refresh(command: list[str]) -> None:
    """Fetch the package lists; one broken source among several is apt's to report when a package is missing."""
    say("fetching Debian's package lists")
    limit = time.monotonic() + PATIENCE_S
    while True:
        try:
            run(command)
        except SetUpError as error:
            if "Could not get lock" in str(error) and time.monotonic() < limit:
                time.sleep(2)
                continue
            say("the package lists could not all be fetched; going on with what is there")
        return


def _install(power: list[str], apt: list[str], packages: list[str]) -> None:
    """Install system-wide, but without the cluster that Debian would make and start for everyone."""
    say(f"installing {', '.join(packages)}")
    run([*power, "mkdir", "-p", str(NO_CLUSTER.parent)])
    run([*power, "sh", "-c", f"echo 'create_main_cluster = false' > {NO_CLUSTER}"])
    try:
        without_questions = [*power, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *apt]
        run([*without_questions, "install", "-y", "--no-install-recommends", *packages])
    finally:
        run([*power, "rm", "-f", str(NO_CLUSTER)])


def _private_options() -> list[str]:
    """Let apt keep lists and archives in MENPAI_VAR; the system's sources, keys and list of installed packages hold."""
    state, cache = APT / "state", APT / "cache"
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State": state,
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": cache,
        "Dir::Log": state,
        "Debug::NoLocking": "true",
    }
    return [f"-o{name}={value}" for name, value in options.items()]


def _unpack(apt: list[str], packages: list[str]) -> None:
    say(f"unpacking {', '.join(packages)} into {PACKAGES}, as no root or sudo is at hand")
    run(["apt-get", *apt, "install", "-y", "--no-install-recommends", "--download-only", *packages])
    UNPACKING.touch()
    finish_unpacking()


def finish_unpacking() -> None:
    """Unpack what was fetched whole; done again where it was interrupted, for a half-unpacked server looks like one."""
    if not UNPACKING.exists():
        return
    PACKAGES.mkdir(exist_ok=True)
    for archive in sorted((APT / "cache" / "archives").glob("*.deb")):
        run(["dpkg-deb", "-x", str(archive), str(PACKAGES)])
    _relink()
    UNPACKING.unlink()
    shutil.rmtree(APT)


def _relink() -> None:
    """Make the links that update-alternatives would have made: postgis.control -> postgis-3.control."""
    for control in PACKAGES.glob("usr/share/postgresql/*/extension/*-3.control"):
        link = control.with_name(re.sub(r"-3\.control$", ".control", control.name))
        link.unlink(missing_ok=True)
        link.symlink_to(control.name)
