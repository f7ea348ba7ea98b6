"""From 1 November the city hears that the next year is not published: weekly, then daily, never at night."""

from __future__ import annotations

from datetime import date

import pytest

from deadlines import jobs
from deadlines.notice import Notice
from deadlines.office import draft_year, publish
from notifications.models import Message
from offices.models import Division, Posting, User
from oversight.tasks import watch_calendar
from tests.conftest import Moment

pytestmark = pytest.mark.django_db


def heard() -> list[str]:
    return list(
        Message.objects.filter(kind="calendar_missing").order_by("pk").values_list("to_user__username", flat=True)
    )


def concerned() -> set[str]:
    """The city's overseers and administrators; nobody of a county."""
    roles = [Posting.Role.OVERSEER, Posting.Role.DIVISION_ADMIN]
    city = Posting.objects.filter(role__in=roles, department__division__level=Division.Level.CITY)
    return set(city.values_list("user__username", flat=True))


@pytest.mark.parametrize("moment", ["2026-10-30 10:00", "2026-11-01 10:00", "2026-11-02 08:59", "2026-11-02 18:00"])
def test_not_before_november_not_on_a_sunday_not_outside_working_hours(city: None, clock: Moment, moment: str) -> None:
    clock.to(moment)
    watch_calendar()
    assert heard() == []


def test_once_a_week_then_each_working_day(city: None, clock: Moment) -> None:
    everybody = concerned()
    assert len(everybody) >= 2
    for moment, times in (
        ("2026-11-02 09:00", 1),
        ("2026-11-02 10:00", 1),
        ("2026-11-06 17:59", 1),
        ("2026-11-09 09:00", 2),
        ("2026-12-14 09:00", 3),
        ("2026-12-15 09:00", 4),
        ("2026-12-15 17:00", 4),
        ("2026-12-16 09:00", 5),
        ("2027-01-04 09:00", 6),
        ("2027-01-05 09:00", 7),
    ):
        clock.to(moment)
        watch_calendar()
        found = heard()
        assert set(found) == everybody
        assert {found.count(name) for name in everybody} == {times}, moment
    [text] = set(Message.objects.filter(kind="calendar_missing").values_list("text", flat=True))
    assert text.startswith("2027年的节假日安排还没有正式发布到平台")


def test_silence_once_it_is_published(city: None, clock: Moment) -> None:
    clock.to("2026-11-02 09:00")
    keeper = User.objects.filter(postings__role=Posting.Role.OVERSEER).order_by("pk")[0]
    notice = Notice(2027, "通知", off={date(2027, 1, 1): "元旦"})
    draft = draft_year(notice, by=keeper, now=clock.at)
    jobs.run()
    watch_calendar()
    assert heard()  # a draft is no publication
    publish(draft, by=keeper, now=clock.at)
    clock.to("2026-11-09 09:00")
    before = len(heard())
    watch_calendar()
    assert len(heard()) == before
