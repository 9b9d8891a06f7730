"""JupyterLab's settings for a learner: `jupyter lab --config jupyter_lab_config.py` opens unit 0.

1. The learner's folder is `notebooks/`; nbgrader looks for its settings there too.
2. The first time, the table of contents is open at the side. How you leave the windows is kept in `build/lab`.
3. What only a teacher uses and what asks the network is hidden, and the assignment list too where there is no exchange
  to list.
"""

import json
import os
from pathlib import Path

from nbgrader.apps import NbGrader
from nbgrader.exchange import ExchangeFactory

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE / "notebooks"

# nbgrader's buttons read the settings of the folder that the server runs in.
os.chdir(NOTEBOOKS)
c.ServerApp.root_dir = str(NOTEBOOKS)
c.LabApp.default_url = "/lab/tree/u0_start_here/u0_start_here.ipynb"

c.LabApp.workspaces_dir = str(HERE / "build" / "lab")
# JupyterLab's name for the workspace that it opens when none is asked for: "default" and the start of its SHA-256.
workspace = HERE / "build" / "lab" / "default-37a8.jupyterlab-workspace"
if not workspace.is_file():
    contents = "@jupyterlab/toc:plugin"
    side = {"collapsed": False, "visible": True, "current": contents, "widgets": ["filebrowser", contents]}
    layout = {"layout-restorer:data": {"left": side, "relativeSizes": [0.22, 0.78, 0]}}
    workspace.parent.mkdir(parents=True, exist_ok=True)
    workspace.write_text(json.dumps({"data": layout, "metadata": {"id": "default"}}), encoding="utf-8")

servers = ["formgrader", "course_list"]
hidden = ["@jupyter/nbgrader:formgrader", "@jupyter/nbgrader:course-list", "@jupyter/nbgrader:create-assignment"]
# These ask the network: for news, for updates, for extensions to install.
hidden += ["@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"]
nbgrader = NbGrader()
nbgrader.load_config_file()
exchange = ExchangeFactory(config=nbgrader.config).List(config=nbgrader.config).root
if not os.access(exchange, os.W_OK | os.X_OK):
    servers += ["assignment_list"]
    hidden += ["@jupyter/nbgrader:assignment-list", "@jupyter/nbgrader:menu"]


def hide(handler, page):
    """Add to the extensions that the page does not start."""
    page["disabledExtensions"] = [*page["disabledExtensions"], *hidden]
    return page


c.ServerApp.jpserver_extensions = {f"nbgrader.server_extensions.{name}": False for name in servers}
c.ServerApp.tornado_settings = {"page_config_hook": hide}
