"""JupyterLab's settings for a learner: `jupyter lab --config jupyter_lab_config.py` opens unit 0.

1. The learner's folder is `my_attention/` beside the course's, or the one that ATTENTION_FOLDER names. It is made the
  first time, as by `attention start`, and never changed here; nbgrader looks for its settings there too.
2. The first time, the table of contents is open at the side. How you leave the windows is kept in `.attention/lab`.
3. What only a teacher uses and what asks the network is hidden, and the assignment list too where there is no exchange
  to list.
"""

import json
import os
from pathlib import Path

from nbgrader.apps import NbGrader
from nbgrader.exchange import ExchangeFactory

from helpers.folder import bringing, place

c = get_config()  # noqa: F821
HERE = Path(__file__).resolve().parent
RELEASE = HERE / "notebooks"
named = os.environ.get("ATTENTION_FOLDER")
OWN = Path(named).absolute() if named else place.own(HERE, RELEASE)
if not place.record(OWN).course:
    print(bringing.told(OWN, bringing.bring(OWN, RELEASE)))
    print(f"Your work is in {OWN} from now on; a new version of the course comes to it by `attention update`.")

# nbgrader's buttons read the settings of the folder that the server runs in.
os.chdir(OWN)
c.ServerApp.root_dir = str(OWN)
c.LabApp.default_url = "/lab/tree/u0_start_here/u0_start_here.ipynb"

c.LabApp.workspaces_dir = str(OWN / place.MARK / "lab")
# JupyterLab's name for the workspace that it opens when none is asked for: "default" and the start of its SHA-256.
workspace = OWN / place.MARK / "lab" / "default-37a8.jupyterlab-workspace"
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
