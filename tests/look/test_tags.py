"""The template tags: what they say, how they are tied together, and what they refuse."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django import forms
from django.template import Context, Template
from django.test import RequestFactory
from lucide import IconDoesNotExist

from deadlines.enums import State
from deadlines.models import Deadline
from offices.templatetags import portal
from tests.look.words import render


@dataclass
class Clock:
    """A deadline with a fixed light."""

    shade: str
    text: str
    state: str = "running"

    def light(self, on: date) -> str:
        return self.shade

    def light_text(self, on: date) -> str:
        return self.text


class IntakeForm(forms.Form):
    code = forms.CharField(label="统一社会信用代码", help_text="18 位")
    phone = forms.CharField(label="联系电话", required=False)
    way = forms.ChoiceField(label="办理方式", widget=forms.RadioSelect, choices=[("a", "齐全"), ("b", "承诺")])
    scan = forms.FileField(label="营业执照")
    agree = forms.BooleanField(label="我已阅读")


def test_dates_are_written_as_papers_write_them() -> None:
    assert portal.cn_date(date(2026, 9, 28)) == "2026年9月28日（周一）"
    assert portal.cn_day(date(2026, 9, 28)) == "2026年9月28日"
    assert portal.cn_date(None) == ""


def test_a_moment_is_told_in_the_citys_time() -> None:
    late = datetime(2026, 9, 27, 16, 5, tzinfo=UTC)
    assert portal.cn_datetime(late) == "2026年9月28日（周一）00:05"
    assert portal.cn_date(late) == "2026年9月28日（周一）"


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (Clock("green", "剩 9 个工作日"), ["light-green", "正常", "剩 9 个工作日"]),
        (Clock("yellow", "今天到期"), ["light-yellow", "临期", "今天到期"]),
        (Clock("red", "已超期 3 个工作日"), ["light-red", ">超期<", ">3 个工作日<"]),
        (Clock("grey", "暂停", "paused"), ["light-grey", "暂停"]),
        (Clock("grey", "按期完成", "met"), ["light-closed", "按期完成"]),
    ],
)
def test_a_light_always_has_words_beside_its_colour(clock: Clock, words: list[str]) -> None:
    html = render("{% light clock %}", clock=clock, today=date(2026, 9, 28))
    for word in words:
        assert word in html


def test_a_light_without_a_day_refuses_to_guess() -> None:
    with pytest.raises(LookupError, match="today"):
        render("{% light clock %}", clock=Clock("green", "剩 9 个工作日"))


def test_no_deadline_is_a_dash() -> None:
    assert "—" in render("{% light clock %}", clock=None)


def test_a_badge_takes_its_tone_from_meaning() -> None:
    assert "tone-bad" in render("{% status_badge one %}", one={"label": "不予许可", "tone": "bad"})
    assert "tone-neutral" in render("{% status_badge one %}", one={"label": "草稿"})


def test_a_model_shows_the_label_of_its_own_enum() -> None:
    html = render("{% status_badge one %}", one=Deadline(state="missed"))
    assert "逾期完成" in html
    assert "tone-bad" in html
    assert "暂停" in render("{% status_badge one %}", one=State.PAUSED)


def test_icons_are_hidden_unless_they_speak() -> None:
    assert 'aria-hidden="true"' in portal.icon("check")
    spoken = portal.icon("check", "已完成")
    assert 'role="img"' in spoken
    assert 'aria-label="已完成"' in spoken
    with pytest.raises(IconDoesNotExist):
        portal.icon("no-such-icon")


def test_an_icons_label_cannot_smuggle_markup() -> None:
    assert "<script" not in portal.icon("check", '"><script>')


def test_a_qr_code_is_a_data_image_with_alt_text() -> None:
    html = portal.qr("https://portal.example/v/1?a=1&b=2", alt="核验二维码")
    assert 'src="data:image/svg+xml' in html
    assert 'alt="核验二维码"' in html
    assert "style=" not in html


def test_a_field_ties_label_help_and_error_to_its_control() -> None:
    form = IntakeForm({"code": ""})
    html = render('{% field form.code inputmode="latin" %}', form=form)
    assert 'for="id_code"' in html
    assert 'id="id_code_helptext"' in html
    assert 'id="id_code_error"' in html
    assert 'aria-describedby="id_code_helptext id_code_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'inputmode="latin"' in html
    assert "请填写统一社会信用代码" in html


def test_missing_answers_say_what_to_do_by_kind() -> None:
    html = render("{% form_errors form %}", form=IntakeForm({}))
    for sentence in [
        "有 4 处需要改正",
        "请填写统一社会信用代码",
        "请选择办理方式",
        "请上传营业执照",
        "请勾选：我已阅读",
    ]:
        assert sentence in html
    assert 'href="#id_code"' in html


def test_a_form_without_errors_shows_no_list() -> None:
    assert render("{% form_errors form %}", form=IntakeForm()).strip() == ""


def test_optional_fields_are_marked_and_choices_are_a_group() -> None:
    assert "选填" in render("{% field form.phone %}", form=IntakeForm())
    group = render("{% field form.way %}", form=IntakeForm())
    assert "<fieldset" in group
    assert "<legend" in group


@pytest.mark.parametrize("text", ["<b>x</b>", "' onload='x"])
def test_typed_text_comes_back_escaped(text: str) -> None:
    html = render("{% field form.code %}{% form_errors form %}", form=IntakeForm({"code": text}))
    assert text not in html


def test_masks_hide_what_they_should() -> None:
    assert render(
        "{{ a|mask_name }} {{ b|mask_name }} {{ p|mask_phone }}", a="张三", b="欧阳娜娜", p="13812341234"
    ) == ("张* 欧阳** 138****1234")


def test_the_confirm_panel_submits_the_form_it_names() -> None:
    context = Context({"follows": ["发出受理通知书"]})
    html = Template(
        '{% include "components/confirm_panel.html" with id="a" verb="受理" form_id="intake" only %}'
    ).render(context)
    assert 'form="intake"' in html
    assert "确认受理" in html


def test_a_light_follows_the_portals_clock_of_the_request() -> None:
    request = RequestFactory().get("/")
    request.now = datetime(2026, 9, 28, 1, 0, tzinfo=UTC)  # type: ignore[attr-defined]
    assert "临期" in render("{% light clock %}", clock=Clock("yellow", "今天到期"), request=request)
