"""Counting a JUnit report."""

import pytest

from opsboard.cli.junit import LARGEST, Counts, NoReport, read

FAILED = "<testcase><failure/></testcase>"
REPORTS = {
    "several suites are summed": (
        f"<testsuites><testsuite><testcase/></testsuite><testsuite>{FAILED}</testsuite>"
        "</testsuites>",
        (1, 1, 0),
    ),
    "suites in suites": (
        f"<testsuite tests='2' failures='1'><testsuite tests='2' failures='1'><testcase/>{FAILED}"
        "</testsuite></testsuite>",
        (1, 1, 0),
    ),
    "errors count as failed": ("<testsuite><testcase><error/></testcase></testsuite>", (0, 1, 0)),
    "a case fails once": (
        "<testsuite><testcase><failure/><error/><skipped/></testcase></testsuite>",
        (0, 1, 0),
    ),
    "skipped": ("<testsuite><testcase/><testcase><skipped/></testcase></testsuite>", (1, 0, 1)),
    "not run": ("<testsuite><testcase status='notrun'/></testsuite>", (0, 0, 1)),
    "an error outside of a case": ("<testsuite><error/><testcase/></testsuite>", (0, 1, 0)),
    "a suite that claims more failures": (
        "<testsuite tests='3' failures='2'><testcase/><testcase/><testcase/></testsuite>",
        (1, 2, 0),
    ),
    "a suite that claims tests it does not show": ("<testsuite tests='9'/>", (0, 0, 0)),
    "namespaces": (
        "<j:testsuite xmlns:j='x'><j:testcase><j:failure/></j:testcase></j:testsuite>",
        (0, 1, 0),
    ),
    "tries that failed before one that passed": (
        "<testsuite><testcase><flakyFailure/></testcase></testsuite>",
        (1, 0, 0),
    ),
}


@pytest.mark.parametrize(("written", "counted"), REPORTS.values(), ids=REPORTS.keys())
def test_counts(written: str, counted: tuple[int, int, int]) -> None:
    passed, failed, skipped = counted
    collected = sum(counted)

    assert read(written.encode()) == Counts(
        collected=collected, passed=passed, failed=failed, skipped=skipped
    )


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
REFUSED = {
    "nothing": "",
    "half": "<testsuite><testcase/>",
    "two roots": "<testsuite/><testsuite/>",
    "another kind of XML": "<html><testcase/></html>",
    "JSON": '{"tests": 3}',
    "an entity": '<!DOCTYPE t [<!ENTITY e "x">]><testsuite>&e;</testsuite>',
    "entities of entities": f'<!DOCTYPE t [<!ENTITY e0 "x">{BOMB}]><testsuite>&e9;</testsuite>',
    "a file from elsewhere": (
        '<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuite>&e;</testsuite>'
    ),
    "an unknown encoding": '<?xml version="1.0" encoding="klingon"?><testsuite/>',
    "too deep": "<testsuite>" * 100 + "</testsuite>" * 100,
    "too large": "<testsuite>" + " " * LARGEST + "</testsuite>",
}


@pytest.mark.parametrize("written", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_report_has_no_counts(written: str) -> None:
    with pytest.raises(NoReport):
        read(written.encode())
