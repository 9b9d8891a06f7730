"""The test's settings of the hub: free ports, and one password for everyone instead of the machine's."""

import json
from pathlib import Path

settings = json.loads(Path("/etc/attention/test.json").read_text())
hub, proxy, public = settings["ports"]
c = get_config()  # noqa: F821
c.JupyterHub.bind_url = f"http://127.0.0.1:{public}"
c.JupyterHub.hub_port = hub
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{proxy}"
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = settings["password"]
