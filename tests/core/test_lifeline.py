"""Tests for the line between a process and who started it."""

import subprocess
import sys

import pytest

from aitrade.core.lifeline import TIED

PROGRAM = """
import subprocess, sys, time
from aitrade.core.lifeline import tie
assert sys.stdin.buffer.readline() == b"settings\\n"
tie()
assert not sys.stdin.buffer.read(1)
print(subprocess.run([sys.executable, "-c", "print(input() if 0 else 1)"], capture_output=True).stdout, flush=True)
time.sleep(20 if len(sys.argv) > 1 else 0.5)
print("lives", flush=True)
"""


def started(*arguments):
    """A program that took its settings and was started with these arguments."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(b"settings\n")
    process.stdin.flush()
    return process


def test_a_tied_process_ends_when_the_line_is_cut():
    """It works while its starter holds the line, starts processes of its own, and ends when it is gone."""
    with started(TIED) as process:
        assert process.stdout.readline().strip()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.stdin.close()
        assert process.wait(15) != 0
        assert process.stdout.read() == b""


def test_what_is_not_tied_goes_on():
    """The engine's line is closed as soon as it has its settings."""
    with started() as process:
        process.stdin.close()
        assert process.stdout.read().splitlines()[1:] == [b"lives"]
