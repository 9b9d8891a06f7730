"""What an instructor sees and presses in formgrader, from the list of assignments to the feedback page."""

import re
import shutil
import time

import pytest
from playwright.sync_api import expect

from autograder.authoring import releasing, sample
from autograder.classroom import classroom

from .lab import PATIENCE, TOKEN, Lab, fill_in, server, shot

UNIT = sample.UNIT
STUDENTS = ("ada", "bela", "dana")
POINTS = {student.name: student.points for student in sample.students()}
COMMENT = "Right: equal projections make every table symmetric. Now give an example of your own."


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("instructor") / "class"


@pytest.fixture(scope="module")
def lab(browser, root):
    """JupyterLab in a class folder with three submissions, as `jupyter lab` there opens it."""
    releasing.init(root, [UNIT])
    sample.write(root)
    for folder in (root / "submitted").iterdir():
        if folder.name not in STUDENTS:
            shutil.rmtree(folder)
    with server(root, root.parent / "home") as address:
        lab = Lab(browser, address, width=1600, height=900)
        yield lab
        lab.close()
    assert lab.outside == [] and lab.errors == []


@pytest.fixture(scope="module")
def graded(lab):
    """Formgrader with all three submissions autograded by its button."""
    lab.open()
    lab.page.get_by_role(
        "button", name="No", exact=True
    ).click()  # JupyterLab's own question, whether it may fetch news
    lab.menu("Nbgrader", "nbgrader:open-formgrader")
    row = lab.frame().locator("tr", has_text=UNIT)
    expect(row.locator(".num-submissions")).to_have_text("3")
    shot(lab.page, "formgrader_assignments")
    row.locator(".num-submissions a").click()
    for student in STUDENTS:
        submission(lab, student).locator(".autograde a").click()
        dismiss(lab, f"Successfully autograded '{UNIT}' for student '{student}'")
    return lab


def submission(lab, student):
    return lab.frame().locator("tr", has=lab.frame().locator(f'.student-id[data-order="{student}"]'))


def follow(frame, link, trail):
    """Press a link and wait for its page by the trail on top: the page before has rows and links of the same names."""
    link.click()
    expect(frame.locator(".breadcrumb li")).to_have_text(trail)


def dismiss(lab, told):
    dialog = lab.frame().locator(".modal.in")
    expect(dialog).to_contain_text(told)
    dialog.get_by_role("button", name="OK").click()
    expect(lab.frame().locator(".modal, .modal-backdrop").locator("visible=true")).to_have_count(0)


def test_the_button_grades_with_the_judge(graded):
    for student in STUDENTS:
        expect(submission(graded, student).locator(".score")).to_have_text(f"{POINTS[student]} / 20")
    expect(submission(graded, "ada").locator(".status")).to_have_text("needs manual grading")
    shot(graded.page, "formgrader_autograded")


def test_a_class_without_an_exchange_has_no_warning_of_one(graded):
    frame = graded.frame()
    frame.get_by_role("link", name="Manage Assignments").click()
    expect(frame.locator("tr", has_text=UNIT).locator(".num-submissions")).to_have_text("3")
    assert frame.locator(".alert-warning").count() == 0


def test_what_is_typed_before_the_saved_points_have_come_is_not_lost(graded, root):
    lab, room = graded, classroom.Classroom.open(root)
    with room.gradebook() as gradebook:
        number = gradebook.find_submission_notebook(UNIT, UNIT, "dana").id
    page = lab.page.context.browser.new_page()
    page.goto(f"{lab.address}/lab?token={TOKEN}", wait_until="domcontentloaded")
    waiting = []
    page.route(re.compile(r"/formgrader/api/(grades|comments)\b"), lambda route: waiting.append(route))
    page.goto(f"{lab.address}/formgrader/submissions/{number}/", wait_until="domcontentloaded")
    points, comment = page.locator("#why_two_projections"), page.locator("#why_two_projections-comment")
    points.press_sequentially("2.5")
    comment.press_sequentially("Well seen.")
    while len(waiting) < 2:
        page.wait_for_timeout(50)
    for request in waiting:
        request.continue_()
    expect(page.locator("#why_two_projections_extra_credit[placeholder]")).to_have_count(1)
    expect(points).to_have_value("2.5")
    expect(comment).to_have_value("Well seen.")

    def given():
        with room.gradebook() as gradebook:
            grade = gradebook.find_grade("why_two_projections", UNIT, UNIT, "dana")
            return grade.manual_score, gradebook.find_comment("why_two_projections", UNIT, UNIT, "dana").manual_comment

    for _ in range(PATIENCE // 100):
        if given() == (2.5, "Well seen."):
            break
        page.wait_for_timeout(100)
    page.close()
    assert given() == (2.5, "Well seen.")
    with room.gradebook() as gradebook:
        gradebook.find_grade("why_two_projections", UNIT, UNIT, "dana").manual_score = None
        gradebook.find_comment("why_two_projections", UNIT, UNIT, "dana").manual_comment = None
        gradebook.db.commit()


@pytest.mark.parametrize("leave_the_field", [False, True])
def test_leaving_the_page_at_once_loses_no_points(graded, root, leave_the_field):
    lab, room = graded, classroom.Classroom.open(root)
    with room.gradebook() as gradebook:
        number = gradebook.find_submission_notebook(UNIT, UNIT, "dana").id
    page = lab.page.context.browser.new_page()
    page.goto(f"{lab.address}/lab?token={TOKEN}", wait_until="domcontentloaded")
    page.goto(f"{lab.address}/formgrader/submissions/{number}/")
    field = page.locator("#why_two_projections")
    # Formgrader's own mark that the field saves what is typed.
    expect(page.locator("#why_two_projections_extra_credit[placeholder]")).to_have_count(1)
    points = 1 + leave_the_field
    field.press_sequentially(str(points))
    if leave_the_field:
        field.blur()
    page.goto(f"{lab.address}/api/status")

    def given():
        with room.gradebook() as gradebook:
            return gradebook.find_grade("why_two_projections", UNIT, UNIT, "dana").manual_score

    for _ in range(PATIENCE // 100):
        if given() == points:
            break
        time.sleep(0.1)
    page.close()
    assert given() == points
    with room.gradebook() as gradebook:
        gradebook.find_grade("why_two_projections", UNIT, UNIT, "dana").manual_score = None
        gradebook.db.commit()


def test_a_written_answer_is_graded_and_its_comment_reaches_the_feedback(graded):
    lab, frame = graded, graded.frame()
    follow(frame, frame.get_by_role("link", name="Manual Grading"), ["Manual Grading"])
    row = frame.locator("table").get_by_role("link", name=UNIT)
    follow(frame, row, ["Manual Grading", UNIT])
    follow(frame, row, ["Manual Grading", UNIT, UNIT])
    waiting = frame.locator("tbody tr", has=frame.locator(".needs-manual-grade .glyphicon-ok"))
    expect(waiting).to_have_count(1)
    waiting.get_by_role("link").first.click()
    fill_in(lab.page, frame, "#why_two_projections", "2")
    fill_in(lab.page, frame, "#why_two_projections-comment", COMMENT)
    shot(lab.page, "formgrader_written_answer")

    follow(frame, frame.get_by_role("link", name="Manual Grading").first, ["Manual Grading"])
    follow(frame, frame.get_by_role("link", name="Manage Assignments"), ["Assignments"])
    frame.locator("tr", has_text=UNIT).locator(".num-submissions a").click()
    expect(submission(lab, "ada").locator(".score")).to_have_text("19 / 20")
    submission(lab, "ada").locator(".generate-feedback a").click()
    dismiss(lab, "Successfully")

    lab.page.goto(f"{lab.address}/files/feedback/ada/{UNIT}/{UNIT}.html?token={TOKEN}")
    expect(lab.page.locator("body")).to_contain_text(COMMENT)
    expect(lab.page.locator("body")).not_to_contain_text("hidden=True")
    lab.page.get_by_text(COMMENT).scroll_into_view_if_needed()
    shot(lab.page, "feedback")
