"""What the doctor says on a system that cannot grade."""

import sys

from autograder.sandbox import doctor


def test_not_on_linux_it_says_so_and_tries_nothing_else(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    (finding,) = doctor.examine()
    assert (finding.name, finding.present, finding.needed) == ("Linux", False, True)
    assert "learning does not" in finding.remedy
