# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Processes, waiting for conditions, and cleaning up.

A Lab owns all that a test makes: processes, network namespaces, files. It takes them down when its `with` block
is left, when the program ends, and on SIGINT and SIGTERM. Should the program be killed, its processes die
with it (PR_SET_PDEATHSIG) and the next Lab removes the rest: all names carry the pid.
"""

import atexit
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PREFIX = "wice"
DEADLINE = 60.0  # seconds to wait for anything before calling it a failure
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
WIREGUARD_SOCKETS = "/var/run/wireguard"

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class LabError(Exception):
    """The laboratory could not do something; the text says what and why."""


class Skip(Exception):
    """A test cannot run here; the text says why."""


def run(*command, check=True, stdin=None, timeout=DEADLINE, env=None):
    """Runs a command to its end. Returns what subprocess.run() does, with text output."""
    result = subprocess.run(
        [str(word) for word in command],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        env=env,
        check=False,
    )
    if check and result.returncode != 0:
        raise LabError(
            "`%s` exited with %d: %s"
            % (" ".join(map(str, command)), result.returncode, (result.stderr + result.stdout).strip())
        )
    return result


def wait_until(what, condition, timeout=DEADLINE, interval=0.02):
    """Calls condition() until it returns something true, which is returned."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise LabError("waited %g s in vain for this: %s" % (timeout, what))
        time.sleep(interval)


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A background process whose output goes to a file."""

    def __init__(self, lab, name, command, env=None, pass_fds=()):
        self.name = name
        self.command = [str(word) for word in command]
        self.log_path = lab.file(name + ".log")
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                pass_fds=pass_fds,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.pid = self.popen.pid
        lab.processes.append(self)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def is_running(self):
        return self.popen.poll() is None

    def exit_status(self, timeout=DEADLINE):
        return self.popen.wait(timeout)

    def signal(self, number):
        if self.is_running():
            self.popen.send_signal(number)

    def stop(self, timeout=10):
        """SIGTERM, then SIGKILL if that does not help. Returns the exit status."""
        self.signal(signal.SIGTERM)
        try:
            return self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        return self.popen.wait()

    def wait_for_line(self, text, timeout=DEADLINE):
        def seen():
            if text in self.log():
                return True
            if not self.is_running():
                raise LabError("%s ended with %d: %s" % (self.name, self.popen.returncode, self.log()))
            return False

        wait_until("%s says «%s»" % (self.name, text), seen, timeout)


class Lab:
    """Owner of everything that a test makes. Use it in a `with` statement."""

    def __init__(self):
        if os.geteuid() != 0:
            raise LabError("the laboratory makes network namespaces and must run as root")
        remove_leftovers()
        self.processes = []
        self.namespaces = []
        self.reporters = []  # functions that print what is known about a part, on failure
        self.folder = tempfile.mkdtemp(prefix="%s-%d-" % (PREFIX, os.getpid()))
        os.chmod(self.folder, 0o755)
        self.sockets = set()
        atexit.register(self.close)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        try:
            if kind is None:
                self.check_health()
            elif issubclass(kind, Exception) and not issubclass(kind, Skip):
                self.report()
        finally:
            self.close()

    def check_health(self):
        """Ends all processes and fails if one crashed, or if a sanitizer that it was built with had something to say."""
        for process in reversed(self.processes):
            status = process.stop()
            if -status in CRASHES:
                raise LabError("%s ended by signal %d: %s" % (process.name, -status, process.log()[-4000:]))
            if "Sanitizer" in process.log() or "runtime error:" in process.log():
                raise LabError("%s: %s" % (process.name, process.log()[-8000:]))

    def file(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.file(name)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        return path

    def report(self):
        print("--- what the laboratory looked like when the test failed")
        for reporter in self.reporters:
            try:
                reporter()
            except Exception as error:  # a report must not hide the failure that it is about
                print("(no report: %s)" % error)
        sys.stdout.flush()

    def close(self):
        """Takes everything down. May be called again."""
        for process in reversed(self.processes):
            process.signal(signal.SIGTERM)
        for process in reversed(self.processes):
            process.stop(timeout=5)
        self.processes.clear()
        for name in self.namespaces:
            _remove_namespace(name)
        self.namespaces.clear()
        for socket in self.sockets:
            _unlink(os.path.join(WIREGUARD_SOCKETS, socket + ".sock"))
        self.sockets.clear()
        shutil.rmtree(self.folder, ignore_errors=True)


def _unlink(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def _remove_namespace(name):
    for pid in run("ip", "netns", "pids", name, check=False).stdout.split():
        try:
            os.kill(int(pid), signal.SIGKILL)
        except OSError:
            pass
    run("ip", "netns", "del", name, check=False)


def _is_former(pid):
    return int(pid) == os.getpid() or not os.path.exists("/proc/%s" % pid)


def remove_leftovers():
    """Removes what laboratories left behind whose process exists no more, or had the number that is ours now."""
    names = os.listdir("/run/netns") if os.path.isdir("/run/netns") else []
    for name in names:
        match = re.fullmatch(PREFIX + r"-(\d+)-.*", name)
        if match and _is_former(match[1]):
            _remove_namespace(name)
    for name in os.listdir(tempfile.gettempdir()):
        match = re.fullmatch(PREFIX + r"-(\d+)-.*", name)
        if match and _is_former(match[1]):
            shutil.rmtree(os.path.join(tempfile.gettempdir(), name), ignore_errors=True)
    sockets = os.listdir(WIREGUARD_SOCKETS) if os.path.isdir(WIREGUARD_SOCKETS) else []
    for name in sockets:
        match = re.fullmatch(r"w(\d+)[a-z]+\d*\.sock", name)
        if match and _is_former(match[1]):
            _unlink(os.path.join(WIREGUARD_SOCKETS, name))
