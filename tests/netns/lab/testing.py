# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What makes a function a test. Its name is a sentence; it gets a Lab; it fails by raising anything but Skip.

    @test
    def two_public_hosts_connect_directly(lab): ...

    @test(timeout=300, alone=True)      measures something: nothing else runs meanwhile
    def ...
"""

import os
import signal
import sys
import traceback

from .system import Lab, LabError, Skip

TIMEOUT = 150  # seconds
SKIPPED = 77  # exit status, as automake and Meson use it

tests = {}


class Test:
    def __init__(self, function, name, timeout, alone):
        self.function = function
        self.name = name
        self.timeout = timeout
        self.alone = alone


def test(function=None, *, name=None, timeout=TIMEOUT, alone=False):
    def register(function):
        title = name or function.__name__.replace("_", " ")
        assert title not in tests, title
        tests[title] = Test(function, title, timeout, alone)
        return function

    return register(function) if function else register


def run_here(chosen):
    """Runs a test in this process and ends it with the test's exit status."""

    def too_late(_number, _frame):
        raise LabError("the test took longer than %d s" % chosen.timeout)

    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(chosen.timeout)
    try:
        with Lab() as lab:
            chosen.function(lab)
    except Skip as reason:
        print("skipped: %s" % reason)
        sys.exit(SKIPPED)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        sys.exit(1)
    finally:
        signal.alarm(0)
        sys.stdout.flush()
    sys.exit(os.EX_OK)
