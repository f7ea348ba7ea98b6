"""Score sheets by published criteria: one reviewer, the arithmetic, and the decision that rests on it (O3.1.2d)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from approvals.actions.clocks import start_procedure
from approvals.actions.scoring import give_sheet
from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case, Document, Opinion, Score, Sheet
from ledger.models import Entry
from offices.models import Posting
from oversight.demo.weighing import marks
from tests.approvals import play, weighing
from tests.approvals.weighing import ENERGY, filled, give
from tests.conftest import Moment

pytestmark = pytest.mark.django_db
Browser = Callable[[str], Client]


@pytest.fixture
def case(city: None, clock: Moment) -> Case:
    """A case in review whose item is scored by one reviewer."""
    return play.accepted(clock.at, play.item(ENERGY))


def page(case: Case, person: object) -> str:
    answer = weighing.browser(person).get(reverse("office:case", args=[case.number]))  # type: ignore[arg-type]
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_sheet_becomes_the_opinion_and_the_decision_shows_its_arithmetic(case: Case) -> None:
    shown = page(case, case.reviewer)
    for criterion in weighing.criteria(case):
        assert criterion.name in shown
        assert criterion.evidence in shown
    assert "合格分" in shown
    answer = give(case, case.reviewer, lost=2)
    assert answer.status_code == 302
    sheet = Sheet.objects.get(case=case)
    assert (sheet.seat, sheet.total, sheet.pass_mark, sheet.vetoes, sheet.approve) == ("first", 75, 60, [], True)
    assert list(sheet.scores.values_list("points", flat=True).order_by("pk")) == [None, 20, 25, 30]
    opinion = Opinion.objects.get(case=case)
    assert (opinion.approve, opinion.reviewer_id) == (True, case.reviewer_id)
    shown = page(case, weighing.decider(case))
    for words in ("审查人一 75 分", "合格分 60 分", "一票否决项全部符合", "见报告第五章"):
        assert words in shown
    assert weighing.decide(case).status_code == 302
    case.refresh_from_db()
    assert case.status == "approved"
    entry = Entry.objects.get(stream=case.stream, act=CaseAct.APPROVED)
    assert entry.data["scores"] == {
        "sheets": [sheet.pk], "totals": [75], "mean": "75", "pass_mark": 60, "vetoes": [], "passes": True,
    }  # fmt: skip
    paper = Document.objects.get(case=case, kind="approval")
    assert any("审查人一 75 分，合格分 60 分" in line for line in paper.content["paragraphs"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"criterion": "", "at": 0}, "请选择是否符合"),
        ({"criterion": "", "at": 1}, "请选择档次"),
        ({"criterion": "29", "at": 1}, "不是公布的档次"),
        ({"criterion": "999", "at": 1}, "不是公布的档次"),
        ({"criterion": "-1", "at": 1}, "不是公布的档次"),
        ({"criterion": "met", "at": 1}, "不是公布的档次"),
        ({"criterion": "20", "evidence": " ", "at": 1}, "没有得满分，请写明依据"),
        ({"criterion": "not", "evidence": "标准不符", "at": 0}, "不符合，不能建议准予"),
        ({"text": " "}, "请写明审查意见"),
        ({"verdict": ""}, "建议准予"),
        ({"keys": ["material:0"]}, "理由只能来自已公布的条件和材料"),
    ],
)
def test_a_sheet_that_is_not_whole_comes_back_with_everything_typed(
    case: Case, change: dict[str, object], words: str
) -> None:
    form = filled(case, text="审查说明甲")
    at = change.pop("at", None)
    if at is not None:
        key = weighing.criteria(case)[int(str(at))].pk
        change = {f"{name}_{key}": value for name, value in change.items()}
    answer = weighing.browser(case.reviewer).post(reverse("office:sheet", args=[case.number]), form | change)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert words in shown
    if "text" not in change:
        assert "审查说明甲" in shown
    kept = weighing.criteria(case)[2]
    assert f'name="criterion_{kept.pk}" id="id_criterion_{kept.pk}_0" value="40" checked' in shown
    assert not Sheet.objects.exists()
    assert not Opinion.objects.exists()


def test_below_the_pass_mark_approval_cannot_be_advised(case: Case) -> None:
    form = filled(case)
    for criterion in weighing.criteria(case)[1:]:
        form[f"criterion_{criterion.pk}"] = str(criterion.grades[-2]["score"])
    url = reverse("office:sheet", args=[case.number])
    answer = weighing.browser(case.reviewer).post(url, form)
    assert answer.status_code == 422
    assert "总分 45 分，低于合格分 60 分，不能建议准予" in answer.content.decode()
    ground = case.business_item.published_grounds()[0]
    form |= {"verdict": "reject", "keys": [f"{ground.kind}:{ground.id}"]}
    assert weighing.browser(case.reviewer).post(url, form).status_code == 302
    assert Opinion.objects.get(case=case).grounds[0]["text"] == f"提交的材料不符合要求：{ground.text}"
    refused = weighing.decide(case)
    assert refused.status_code == 422
    assert "不能决定准予：审查人一 45 分，合格分 60 分" in refused.content.decode()
    case.refresh_from_db()
    assert case.status == "in_review"
    assert weighing.decide(case, approve=False, keys=form["keys"]).status_code == 302
    paper = Document.objects.get(case=case, kind="rejection")
    assert any("45 分" in line for line in paper.content["closing"])


def test_a_failed_veto_fails_the_case_whatever_the_sum(case: Case) -> None:
    veto = weighing.criteria(case)[0]
    form = filled(case, verdict="reject", keys=[f"material:{case.business_item.effective_materials()[0].pk}"])
    form |= {f"criterion_{veto.pk}": "not", f"evidence_{veto.pk}": "强制性标准第4条不符合"}
    url = reverse("office:sheet", args=[case.number])
    assert weighing.browser(case.reviewer).post(url, form).status_code == 302
    sheet = Sheet.objects.get(case=case)
    assert (sheet.total, sheet.vetoes) == (100, [veto.pk])
    answer = weighing.decide(case)
    assert answer.status_code == 422
    assert f"一票否决项不符合：{veto.name}" in answer.content.decode()


def test_a_sheet_is_given_once_and_nothing_beside_it(case: Case) -> None:
    assert give(case, case.reviewer).status_code == 302
    assert give(case, case.reviewer).status_code == 409
    assert Sheet.objects.count() == Opinion.objects.count() == 1
    assert Score.objects.count() == 4


def test_an_item_with_criteria_takes_no_bare_opinion_and_one_without_takes_no_sheet(case: Case, clock: Moment) -> None:
    bare = weighing.browser(case.reviewer).post(
        reverse("office:opinion", args=[case.number]), {"verdict": "approve", "text": "符合。"}
    )
    assert bare.status_code == 422
    assert "请逐项评分" in bare.content.decode()
    plain = play.accepted(clock.at)
    answer = weighing.browser(plain.reviewer).post(reverse("office:sheet", args=[plain.number]), {})
    assert answer.status_code == 409
    assert not Sheet.objects.exists()


def test_a_criterion_that_is_not_published_is_refused(case: Case, clock: Moment) -> None:
    foreign = play.item(weighing.CHEMICAL).effective_criteria()[0]
    scores = marks(case) | {foreign.pk: next(iter(marks(case).values()))}
    assert case.reviewer is not None
    with pytest.raises(Refused) as refusal:
        give_sheet(case, scores=scores, approve=True, text="符合。", keys=[], by=case.reviewer, now=clock.at)
    assert refusal.value.code == "criterion-unknown"


def test_nobody_else_finds_the_sheet(case: Case, sign_in: Browser) -> None:
    url = reverse("office:sheet", args=[case.number])
    other = play.holder(Posting.Role.REVIEWER, case, case.reviewer)  # type: ignore[arg-type]
    for username in (other.username, weighing.decider(case).username, "zhujian.shenchaa", "chuangkou1"):
        answer = sign_in(username).post(url, filled(case))
        assert answer.status_code in {403, 404}, username
    assert not Sheet.objects.exists()


def test_words_that_name_the_applicant_are_refused_and_recorded(case: Case) -> None:
    key = weighing.criteria(case)[1].pk
    form = filled(case) | {f"evidence_{key}": f"{case.applicant_name}的报告"}
    answer = weighing.browser(case.reviewer).post(reverse("office:sheet", args=[case.number]), form)
    assert answer.status_code == 422
    assert Entry.objects.filter(stream=case.stream, act=CaseAct.APPLICANT_NAMED).count() == 1
    assert not Sheet.objects.exists()


def test_no_sheet_while_a_special_procedure_goes_on(case: Case, clock: Moment) -> None:
    assert case.reviewer is not None
    start_procedure(case, ground="expert_review", estimated_days=3, reason="专家评审", by=case.reviewer, now=clock.at)
    assert give(case, case.reviewer).status_code == 409


def test_the_database_refuses_points_above_the_most(case: Case) -> None:
    assert give(case, case.reviewer).status_code == 302
    score = Score.objects.filter(points__isnull=False)[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        Score.objects.filter(pk=score.pk).update(points=score.max_score + 1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Score.objects.filter(pk=score.pk).update(met=True)


def test_the_lists_count_a_scored_case_as_advised(case: Case) -> None:
    desk = weighing.browser(case.reviewer)
    assert case.number in desk.get(reverse("office:list"), {"tab": "review"}).content.decode()
    give(case, case.reviewer)
    assert case.number not in desk.get(reverse("office:list"), {"tab": "review"}).content.decode()
    assert case.number in desk.get(reverse("office:list"), {"tab": "advised"}).content.decode()


def test_the_guide_and_the_notice_say_how_is_scored(client: Client, city: None) -> None:
    item = play.item(weighing.PLANNING)
    for name in ("guide_item", "guide_notice"):
        shown = client.get(reverse(name, args=[item.code])).content.decode()
        for criterion in item.effective_criteria():
            assert criterion.name in shown
            for grade in criterion.grades:
                assert grade["text"] in shown
        assert "合格分 70 分" in shown
        assert "一票否决" in shown
    plain = client.get(reverse("guide_item", args=[play.item().code])).content.decode()
    assert "评分准则" not in plain
