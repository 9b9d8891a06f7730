"""The class on JupyterHub that docs/jupyterhub.md describes: real accounts fetch, submit, are graded and read their
feedback.
"""

from __future__ import annotations

import json
import re

import pytest
import requests

from autograder.authoring import sample

from .machine import Machine, Visitor, commands

UNIT = sample.UNIT
COURSE = {"course_id": "attention", "assignment_id": UNIT}
CLASS = "/home/grader-attention/attention"
EXCHANGE = "/srv/attention/exchange"
SERVICE = "/services/attention/"


@pytest.fixture(scope="module")
def machine():
    machine = Machine()
    try:
        machine.write(
            "root", "/root/roster.csv", "id,first_name,last_name,email\nada,Ada,Lovelace,\nben,Ben,Bitdiddle,\n"
        )
        machine.must("root", "mkdir", "-p", "/var/lib/jupyterhub")
        for line in commands("2. Accounts, exchange, settings") + commands("3. The class") + commands("4. People"):
            # One unit is enough for a test.
            machine.must("root", "sh", "-c", line.replace("init attention", f"init attention {UNIT}"))
        machine.must("root", "useradd", "--create-home", "outsider")
        machine.start_hub()
        yield machine
    finally:
        machine.close()


def visitor(machine, name):
    somebody = Visitor(machine, name)
    somebody.log_in()
    return somebody


@pytest.fixture(scope="module")
def people(machine):
    everyone = {name: visitor(machine, name) for name in ("ada", "ben", "grace")}
    for name in ("ada", "ben"):
        assert everyone[name].get("/hub/spawn").ok
    for name in ("ada", "ben"):
        everyone[name].enter_server()
    # Following the link to the service is what logs an instructor in there.
    assert everyone["grace"].get(SERVICE).ok
    return everyone


def assignments(learner):
    """What the assignment list shows, by its state."""
    answer = learner.api(learner.own, "GET", "assignments?course_id=attention")
    assert answer["success"], answer
    return {one["status"]: one for one in answer["value"]}


def succeed(answer):
    assert answer["success"], answer
    return answer


@pytest.fixture(scope="module")
def term(machine, people):
    """A unit from release to feedback, by the calls that the pages make; ben also tries what he should not."""
    grace, told = people["grace"], {}
    unit = f"formgrader/api/assignment/{UNIT}"
    succeed(grace.api(SERVICE, "POST", f"{unit}/release"))
    for name, answers in (("ada", None), ("ben", sample.read_answers(sample.FOLDER / "dana.py"))):
        learner = people[name]
        assert set(assignments(learner)) == {"released"}
        learner.api(learner.own, "POST", "assignments/fetch", **COURSE)
        assert set(assignments(learner)) == {"fetched"}
        notebook = f"{UNIT}/{UNIT}.ipynb"
        learner.api(
            learner.own,
            "PUT",
            f"api/contents/{notebook}",
            type="notebook",
            format="json",
            content=sample.answered(UNIT, answers),
        )
        if name == "ben":
            told["validated"] = succeed(learner.api(learner.own, "POST", "assignments/validate", path=notebook))[
                "value"
            ]
        succeed(learner.api(learner.own, "POST", "assignments/submit", **COURSE))
        assert set(assignments(learner)) == {"fetched", "submitted"}

    inbound = f"{EXCHANGE}/attention/inbound"
    own = next(name for name in machine.must("root", "ls", inbound).split("\n") if name.startswith("ben+"))
    forged = f"ada+{UNIT}+2099-01-01 00:00:00.000000 UTC+x"
    machine.must("ben", "cp", "-r", f"/home/ben/{UNIT}", f"{inbound}/{forged}")
    machine.must("ben", "ln", "-s", f"{CLASS}/.attention/secret", f"{inbound}/{own}/stolen.txt")
    machine.must("ben", "ln", "-s", f"{CLASS}/source", f"{inbound}/{own}/solutions")
    machine.must("ben", "mkfifo", f"{inbound}/{own}/pipe")

    told["collected"] = succeed(grace.api(SERVICE, "POST", f"{unit}/collect"))["log"]
    for name in ("ada", "ben"):
        succeed(grace.api(SERVICE, "POST", f"formgrader/api/submission/{UNIT}/{name}/autograde"))
    told["graded"] = {one["student"]: one for one in grace.api(SERVICE, "GET", f"formgrader/api/submissions/{UNIT}")}
    succeed(grace.api(SERVICE, "POST", f"{unit}/generate_feedback"))
    succeed(grace.api(SERVICE, "POST", f"{unit}/release_feedback"))
    for name in ("ada", "ben"):
        learner = people[name]
        learner.api(learner.own, "POST", "assignments/fetch_feedback", **COURSE)
        [submission] = assignments(learner)["submitted"]["submissions"]
        page = learner.get(f"{learner.own}files/{submission['local_feedback_path']}/{UNIT}.html")
        assert page.ok
        told[name] = page.text
    return told


def test_only_the_class_is_let_in(machine):
    for name in ("outsider", "grader-attention", "root", "nobody-at-all"):
        assert Visitor(machine, name).log_in().status_code == 403, name


def test_points_are_the_judge_s(term):
    students = {one.name: one for one in sample.students()}
    assert {name: one["code_score"] for name, one in term["graded"].items() if one["autograded"]} == {
        "ada": 17,
        "ben": students["dana"].points,
    }


def test_validate_says_what_fails_at_the_desk(term):
    failed = json.dumps(term["validated"]["failed"])
    assert "transpose" in failed


def test_each_gets_the_own_feedback_and_no_hidden_test(term):
    assert "transpose" in term["ben"] and term["ada"] != term["ben"]
    for page in (term["ada"], term["ben"]):
        assert "HIDDEN TESTS" not in page and "hidden=True" not in page


def test_nobody_hands_in_for_another(machine, term):
    assert "does not belong to ada" in term["collected"]
    assert "2099" not in machine.must("grader-attention", "cat", f"{CLASS}/submitted/ada/{UNIT}/timestamp.txt")


def test_links_are_not_followed_when_collecting(machine, term):
    assert re.search(r"stolen\.txt is not collected: it is a link", term["collected"]) and re.search(
        r"pipe is not collected", term["collected"]
    )
    submitted = f"{CLASS}/submitted/ben/{UNIT}"
    found = machine.must(
        "grader-attention", "find", submitted, "-mindepth", "1", "-type", "f", "-printf", "%f\n"
    ).split()
    assert sorted(found) == ["submission_secret.txt", "timestamp.txt", f"{UNIT}.ipynb"]


def test_instructors_have_formgrader_and_learners_do_not(machine, people, term):
    ada, grace = people["ada"], people["grace"]
    assert SERVICE in grace.get("/hub/home").text and SERVICE not in ada.get("/hub/home").text
    assert grace.get(f"{SERVICE}formgrader").status_code == 200
    for path in ("", "lab", "formgrader", "formgrader/gradebook"):
        assert ada.get(SERVICE + path).status_code == 403, path
    # The server of her own has no formgrader either, and going past the proxy does not help.
    assert ada.get(f"{ada.own}formgrader").status_code == 404
    straight = requests.get(
        f"http://127.0.0.1:{machine.formgrader}{SERVICE}formgrader/api/students", allow_redirects=False, timeout=60
    )
    assert straight.status_code == 302 and "/hub/api/oauth2/authorize" in straight.headers["Location"]
    assert ada.get("/user/ben/lab").status_code == 403
    # Formgrader is a frame in JupyterLab: the browser shows it only if its page says so.
    assert grace.get(f"{SERVICE}formgrader").headers["Content-Security-Policy"] == "frame-ancestors 'self'"
    for server, there in ((ada.own, False), (SERVICE, True)):
        page = (ada if server == ada.own else grace).get(f"{server}lab").text
        settings = json.loads(re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S)[1])
        off = settings.get("disabledExtensions", [])
        assert ("@jupyter/nbgrader:formgrader" not in off) is there and (
            "@jupyter/nbgrader:create-assignment" not in off
        ) is there


@pytest.mark.parametrize(
    "path",
    [
        CLASS, f"{CLASS}/gradebook.db", f"{CLASS}/.attention/secret", f"{CLASS}/source/{UNIT}/{UNIT}.ipynb",
        f"{CLASS}/submitted/ben", f"{CLASS}/autograded/ben",
        f"/opt/course/solutions/{UNIT}/{UNIT}.py", "/opt/course/autograder/authoring/sample_class/ada.py",
        f"/home/ben/{UNIT}/{UNIT}.ipynb", "/home/ben/.local/share/jupyter",
        f"{EXCHANGE}/attention/inbound", f"{EXCHANGE}/attention/feedback", "/var/lib/jupyterhub/jupyterhub.sqlite",
        "/var/lib/jupyterhub/cookie_secret",
    ],
)  # fmt: skip
def test_a_learner_cannot_read(machine, term, path):
    read = ["sh", "-c", 'if [ -d "$1" ]; then ls "$1"; else cat "$1"; fi > /dev/null', "read", path]
    machine.must("root", *read)
    assert machine.run("ada", *read).returncode != 0


@pytest.mark.parametrize(
    "path",
    [
        f"{EXCHANGE}/attention",
        f"{EXCHANGE}/attention/inbound",
        f"{EXCHANGE}/attention/outbound/{UNIT}",
        "/etc/attention/learner",
        CLASS,
    ],
)
def test_a_learner_cannot_move_away_or_write_into(machine, term, path):
    assert machine.run("ben", "mv", path, f"{path}.gone").returncode != 0
    if not path.endswith("inbound"):
        assert machine.run("ben", "touch", f"{path}/mine").returncode != 0
    machine.must("root", "test", "-e", path)


def test_a_learner_cannot_touch_another_s_submission(machine, term):
    inbound = f"{EXCHANGE}/attention/inbound"
    own = next(
        name
        for name in machine.must("root", "ls", inbound).split("\n")
        if name.startswith("ada+") and "+2099" not in name
    )
    assert machine.run("ben", "mv", f"{inbound}/{own}", f"{inbound}/mine").returncode != 0
    assert machine.run("ben", "sh", "-c", f"echo x >> '{inbound}/{own}/{UNIT}.ipynb'").returncode != 0


def test_a_server_runs_as_its_user(machine, term):
    assert machine.must(
        "root", "stat", "-c", "%U", f"/home/ada/{UNIT}/{UNIT}.ipynb", f"{CLASS}/gradebook.db"
    ).split() == ["ada", "grader-attention"]
