"""``menpai work``: makes the plans that were asked for; ``menpai run`` and ``menpai serve`` start one beside them."""

import os
import signal
import sys
import threading
from typing import BinaryIO

import click

from data import reference
from gis.planning.plans import working
from gis.store import session


@click.command("work")
@click.option(
    "--with-parent", is_flag=True, hidden=True, help="End when standard input does, as it does with a parent."
)
def work(*, with_parent: bool) -> None:
    """Make plans that planners asked for, one after the other, until TERM, HUP or Ctrl-C."""
    os.nice(5)  # the service goes first
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    if with_parent:  # a service that is killed outright closes the pipe, and leaves no worker behind
        threading.Thread(target=_end_with, args=(sys.stdin.buffer, stop), daemon=True).start()
    ended = working.work(reference.facility_kinds(), stop.wait)
    session.forget()
    click.echo(f"已停止 stopped: {ended} plans 方案")


def _end_with(pipe: BinaryIO, stop: threading.Event) -> None:
    """Ask for an end when a pipe ends."""
    pipe.read()
    stop.set()
