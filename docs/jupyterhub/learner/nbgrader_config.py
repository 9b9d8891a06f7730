"""nbgrader on a learner's server: where the exchange is, and that the hub knows who is in which course."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "attention"
c.Exchange.root = "/srv/attention/exchange"
c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
