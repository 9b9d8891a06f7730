"""JupyterLab's settings for a learner: what is hidden, and what the learner's windows begin with."""

import json
import shutil
from types import SimpleNamespace

import pytest
from jupyterlab_server.workspaces_handler import WorkspacesManager
from traitlets.config import PyFileConfigLoader

from autograder import course

U0 = "u0_start_here"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "settings"))
    shutil.copyfile(course.ROOT / "jupyter_lab_config.py", tmp_path / "jupyter_lab_config.py")
    monkeypatch.setenv("ATTENTION_FOLDER", str(tmp_path / "mine"))
    (tmp_path / "notebooks" / U0).mkdir(parents=True)
    shutil.copyfile(course.NOTEBOOKS / U0 / f"{U0}.ipynb", tmp_path / "notebooks" / U0 / f"{U0}.ipynb")
    (tmp_path / "settings").mkdir()
    return tmp_path


def hidden(folder):
    config = PyFileConfigLoader("jupyter_lab_config.py", path=str(folder)).load_config()
    page = config.ServerApp.tornado_settings["page_config_hook"](
        SimpleNamespace(), {"disabledExtensions": ["from elsewhere"]}
    )
    return page["disabledExtensions"]


def test_the_assignment_list_is_there_only_with_an_exchange(folder):
    (folder / "settings" / "nbgrader_config.py").write_text(
        f'c = get_config()\nc.Exchange.root = "{folder / "exchange"}"\n', encoding="utf-8"
    )
    assert "@jupyter/nbgrader:assignment-list" in hidden(folder)
    (folder / "exchange").mkdir()
    assert "@jupyter/nbgrader:assignment-list" not in hidden(folder)


def test_teachers_tools_and_news_are_hidden_and_other_settings_kept(folder):
    assert {"from elsewhere", "@jupyter/nbgrader:formgrader", "@jupyterlab/apputils-extension:announcements"} <= set(
        hidden(folder)
    )
    assert "@jupyter/nbgrader:validate-assignment" not in hidden(folder)


def test_the_workspace_has_the_name_that_jupyterlab_looks_for_and_is_made_once(folder):
    hidden(folder)
    windows = WorkspacesManager(str(folder / "mine" / ".attention" / "lab"))
    assert windows.load("default")["data"]["layout-restorer:data"]["left"]["current"] == "@jupyterlab/toc:plugin"
    windows.save("default", json.dumps({"data": {"mine": 1}, "metadata": {"id": "default"}}))
    hidden(folder)
    assert windows.load("default")["data"] == {"mine": 1}


def test_the_learners_folder_is_made_once_and_never_the_courses(folder, monkeypatch, capsys):
    config = PyFileConfigLoader("jupyter_lab_config.py", path=str(folder)).load_config()
    mine = folder / "mine" / U0 / f"{U0}.ipynb"
    assert config.ServerApp.root_dir == str(folder / "mine") and mine.is_file()
    assert "Your work is in" in capsys.readouterr().out
    mine.write_text("mine", encoding="utf-8")
    hidden(folder)
    assert mine.read_text(encoding="utf-8") == "mine" and capsys.readouterr().out == ""
