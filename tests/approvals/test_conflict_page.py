"""What the page of a conflict gives back of a form: everything that was typed, and no secret."""

from __future__ import annotations

from django import forms
from django.http import QueryDict
from django.test import RequestFactory

from approvals.web import typed


class Asked(forms.Form):
    """A form with a choice, a grouped choice, many choices, a text, a secret and a technical key."""

    verdict = forms.ChoiceField(label="决定", choices=[("yes", "批准"), ("no", "不批准")])
    office = forms.ChoiceField(label="处室", choices=[("甲局", [("1", "一科"), ("2", "二科")])])
    keys = forms.MultipleChoiceField(label="证据", choices=[("a", "记录"), ("b", "通知书")])
    odd = forms.CharField(label="没有人列出的一项")
    empty = forms.CharField(label="没有填的一项")
    phone = forms.CharField(label="手机")
    version = forms.IntegerField(label="版本", widget=forms.HiddenInput)


POSTED = (
    "csrfmiddlewaretoken=t&version=3&verdict=no&office=2&keys=a&keys=b&keys=gone&odd=%E5%86%99%E5%A5%BD%E7%9A%84&empty="
    "+&phone=13800000000&reason=%E7%90%86%E7%94%B1&sms_code=123456"
)


def test_all_fields_of_the_form_in_words_and_no_secret() -> None:
    request = RequestFactory().post("/")
    request.POST = QueryDict(POSTED)
    assert [(one.label, one.text) for one in typed(request, Asked(request.POST))] == [
        ("决定", "不批准"), ("处室", "二科"), ("证据", "记录\n通知书\ngone"), ("没有人列出的一项", "写好的"),
        ("理由、说明", "理由"),
    ]  # fmt: skip


def test_without_a_form_only_what_is_known_comes_back() -> None:
    request = RequestFactory().post("/")
    request.POST = QueryDict(POSTED + "&name=%E5%BC%A0%E4%B8%89&identifier=3207")
    assert [(one.label, one.text) for one in typed(request)] == [("理由、说明", "理由")]
