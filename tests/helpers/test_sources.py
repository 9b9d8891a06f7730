"""Where units come from."""

from helpers import sources
from helpers.judging import catalog
from tests import environments


def test_units_of_another_environment_are_known_until_one_looks_here_alone(tmp_path):
    environment = environments.bare(tmp_path / "other")
    unit = environments.add_unit(environment, "moving_averages")
    here = catalog.units()
    assert "moving_averages" not in here
    sources.look_in([unit.parent])
    assert catalog.units() == (*here, "moving_averages") and sources.folders_beside() == [unit.parent]
    sources.look_here_alone()
    assert catalog.units() == here and not sources.folders_beside()
