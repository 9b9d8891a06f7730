"""nbgrader's settings for this course; `autograder init` gives every class folder a copy."""

from autograder.plugin import configure, release_config

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "attention"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
c.merge(release_config())
configure(c)
