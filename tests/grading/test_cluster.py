"""Grading on a Dask cluster: the same end as on one machine, also when workers die, join, or are not fit."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import distributed
import pytest

from autograder.course import CourseError
from autograder.grading import coordinator, writing
from autograder.marking import fitness

from .classes import UNIT, copied, make, state

STUDENTS = 12
ENVIRONMENT = os.environ | {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}


class Cluster:
    """A scheduler and workers, each a process of its own on loopback."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.scheduler = self.start(
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--dashboard-address",  # the port of its HTTP server, which is there without a dashboard too
            ":0",
            "--scheduler-file",
            str(folder / "scheduler.json"),
        )
        self.wait_for(lambda: (folder / "scheduler.json").is_file() and (folder / "scheduler.json").stat().st_size > 0)
        self.address = json.loads((folder / "scheduler.json").read_text(encoding="utf-8"))["address"]

    def start(self, *arguments, **environment):
        call = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
        process = subprocess.Popen(
            call, env=ENVIRONMENT | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def worker(self, **environment):
        return self.start(
            "worker",
            self.address,
            "--no-nanny",
            "--nthreads",
            "1",
            "--no-dashboard",
            "--local-directory",
            str(self.folder),
            **environment,
        )

    def wait_for(self, condition):
        ends = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < ends, "the cluster did not come up"
            time.sleep(0.05)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    root = tmp_path_factory.mktemp("cluster")
    before = make(root / "before", STUDENTS)
    room = copied(before, root / "graded")
    coordinator.grade(room, [UNIT], jobs=1)
    return before, state(room)


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.close()


def workers(cluster):
    with distributed.Client(cluster.address, timeout=20, set_as_default=False) as client:
        return len(client.nthreads())


def test_a_worker_is_killed_another_joins_and_nothing_is_lost(undisturbed, cluster, tmp_path):
    before, expected = undisturbed
    room = copied(before, tmp_path / "class")
    first = cluster.worker()
    cluster.worker()
    cluster.wait_for(lambda: workers(cluster) == 2)
    seen = []

    def tell(kind, **about):
        seen.append(kind)
        if seen.count("graded") == 3 and kind == "graded":
            first.send_signal(signal.SIGKILL)
            cluster.worker()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing, "BATCH", 1)
        results = coordinator.grade(room, [UNIT], tell=tell, scheduler=cluster.address)
    assert len(results) == STUDENTS and first.wait() != 0
    assert state(room) == expected


def test_a_worker_of_another_version_is_refused_by_name(undisturbed, cluster, tmp_path):
    before, _ = undisturbed
    (tmp_path / "sitecustomize.py").write_text(
        "import autograder.marking.fitness\nautograder.marking.fitness.version = lambda: 'an older one'\n",
        encoding="utf-8",
    )
    cluster.worker(PYTHONPATH=str(tmp_path))
    cluster.wait_for(lambda: workers(cluster) == 1)
    with pytest.raises(
        CourseError,
        match=rf"tcp://.*another version of the course \(an older one, the coordinator has {fitness.version()}\)",
    ):
        coordinator.grade(copied(before, tmp_path / "class"), [UNIT], feedback=False, scheduler=cluster.address)


def test_a_worker_without_sandbox_is_refused_by_name(undisturbed, cluster, tmp_path):
    before, _ = undisturbed
    (tmp_path / "sitecustomize.py").write_text(
        "from autograder.sandbox.outside import bubblewrap\nbubblewrap.find_bubblewrap = lambda: None\n",
        encoding="utf-8",
    )
    cluster.worker(PYTHONPATH=str(tmp_path))
    cluster.wait_for(lambda: workers(cluster) == 1)
    with pytest.raises(CourseError, match="tcp://.*bubblewrap is not installed"):
        coordinator.grade(copied(before, tmp_path / "class"), [UNIT], feedback=False, scheduler=cluster.address)


def test_no_scheduler_and_no_worker_are_told_in_one_line(undisturbed, cluster, tmp_path):
    before, _ = undisturbed
    room = copied(before, tmp_path / "class")
    with pytest.raises(CourseError, match="has no worker"):
        coordinator.grade(room, [UNIT], feedback=False, scheduler=cluster.address)
    with pytest.raises(CourseError, match="no Dask scheduler answers at tcp://127.0.0.1:9"):
        coordinator.grade(room, [UNIT], feedback=False, scheduler="tcp://127.0.0.1:9")


def test_all_workers_are_killed_and_others_take_over(undisturbed, cluster, tmp_path):
    before, expected = undisturbed
    room = copied(before, tmp_path / "class")
    first = [cluster.worker(), cluster.worker()]
    cluster.wait_for(lambda: workers(cluster) == 2)
    seen = []

    def tell(kind, **about):
        seen.append(kind)
        if seen.count("graded") == 3 and kind == "graded":
            for one in first:
                one.send_signal(signal.SIGKILL)
            cluster.wait_for(lambda: workers(cluster) == 0)
            cluster.worker()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writing, "BATCH", 1)
        results = coordinator.grade(room, [UNIT], tell=tell, scheduler=cluster.address)
    assert len(results) == STUDENTS
    assert state(room) == expected


def test_an_encrypted_address_without_certificates_is_told_in_one_line(undisturbed, cluster, tmp_path):
    before, _ = undisturbed
    with pytest.raises(CourseError, match="is encrypted and Dask's settings name no certificates"):
        coordinator.grade(
            copied(before, tmp_path / "class"), [UNIT], feedback=False, scheduler=cluster.address.replace("tcp", "tls")
        )


def test_a_scheduler_is_looked_for_also_from_a_running_event_loop(undisturbed, tmp_path):
    before, _ = undisturbed
    room = copied(before, tmp_path / "class")

    async def as_in_a_notebook():
        with pytest.raises(CourseError, match="no Dask scheduler answers"):
            coordinator.grade(room, [UNIT], feedback=False, scheduler="tcp://127.0.0.1:1")

    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(as_in_a_notebook())).result()
