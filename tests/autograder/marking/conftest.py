"""What tests of pages share."""

import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from autograder.marking import plugin


@pytest.fixture(scope="session")
def exporter() -> HTMLExporter:
    """The exporter as formgrader makes it from a class's settings."""
    config = Config()
    plugin.configure(config)
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    return HTMLExporter(config=config)
