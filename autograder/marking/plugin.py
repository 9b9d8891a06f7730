"""Plugs the sandbox and the judge into nbgrader: two lines of a class's `nbgrader_config.py`."""

from __future__ import annotations

from nbgrader.converters import Autograde
from nbgrader.preprocessors import DeduplicateIds, Execute, SaveAutoGrades
from traitlets.config import Config

from autograder.classroom import extending

from . import capitals, pages
from .feedback_exporter import FeedbackExporter
from .intake import IntakeExporter
from .late_rules import LateRules
from .preprocessors import SandboxedExecute
from .repair import RepairCells
from .sanitising import SanitizeLearner
from .saving import SaveVerdicts


def configure(config: Config) -> None:
    """Set nbgrader up so that every way of grading goes through the sandbox and the judge.

    Holds for `autograder grade`, `nbgrader autograde` and formgrader's button alike. What comes where:

    - the submission is read by `IntakeExporter`, which takes any file of any name, and gives each step its time;
    - links are removed before nbgrader copies files, which would follow them;
    - released cells are repaired before nbgrader looks for doubles, of which it would keep the last, and overwrites
      them;
    - execution and points are ours in nbgrader's own places in its order, late penalties after them as ever;
    - late work costs what `LateRules` says, unless the class has a plugin of its own for it;
    - at the end the learner's markup is cleaned, since formgrader and feedback show it in a browser;
    - `nbgrader zip_collect` takes Moodle's and Canvas's downloads, and trusts no archive;
    - formgrader's page, and no other, shows the model answer and marking guide under a written answer;
    - pages that show a learner's work are cleaned once more when they are made, and let no script but their own run;
    - a feedback page is ours (`autograder.marking.feedback_page`), whoever has it made, and has its time;
    - releasing feedback through the exchange goes on past who did not submit through it;
    - an extension that was given before the work came goes into the submission when it is made.
    """
    extending.listen()
    replaced = {Execute: SandboxedExecute, SaveAutoGrades: SaveVerdicts}
    capitals.see_all()
    config.Autograde.exporter_class = IntakeExporter
    config.Autograde.pre_convert_hook = "autograder.marking.intake.prepare"
    sanitize = list(Autograde.sanitize_preprocessors.default())
    sanitize.insert(sanitize.index(DeduplicateIds), RepairCells)
    config.Autograde.sanitize_preprocessors = sanitize
    config.Autograde.autograde_preprocessors = [
        *(replaced.get(step, step) for step in Autograde.autograde_preprocessors.default()),
        SanitizeLearner,
    ]
    if "plugin_class" not in config.AssignLatePenalties:
        # A class may have a plugin of its own.
        config.AssignLatePenalties.plugin_class = LateRules
    config.ZipCollectApp.extractor_plugin = "autograder.lms.archives.SafeExtractor"
    config.ZipCollectApp.collector_plugin = "autograder.lms.placement.LmsCollector"
    pages.configure(config)
    config.ExchangeFactory.release_feedback = "autograder.lms.feedback_files.ReleaseFeedback"
    config.GenerateFeedback.exporter_class = FeedbackExporter
    # The exporter reads the gradebook and hides what is hidden by itself.
    config.GenerateFeedback.preprocessors = []
