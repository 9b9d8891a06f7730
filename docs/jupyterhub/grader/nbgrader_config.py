"""nbgrader for the account grader-attention: the class's own settings, the exchange, and whose submissions are taken.

Formgrader, its terminal and the account's login shell all read it: JUPYTER_CONFIG_PATH names this folder.
"""

CLASS = "/home/grader-attention/attention"

c = get_config()  # noqa: F821
load_subconfig("nbgrader_config.py", path=CLASS)  # noqa: F821
c.CourseDirectory.root = CLASS
c.CourseDirectory.course_id = "attention"
c.Exchange.root = "/srv/attention/exchange"
c.ExchangeFactory.collect = "autograder.lms.exchange.CollectOwned"
