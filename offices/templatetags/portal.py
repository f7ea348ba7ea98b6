"""The tags and filters that every page uses; ``docs/design.md`` shows each with its look.

They only render: labels come from the enums, days from the deadline, masks from ``offices.crypto``.
"""

import functools
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Protocol

import segno
from django import forms, template
from django.db import models
from django.forms.boundfield import BoundField
from django.template import engines
from django.template.context import Context
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from lucide.templatetags.lucide import lucide

from offices import crypto, links

register = template.Library()

WEEKDAYS = "一二三四五六日"

#: Tone of a status by its stored value, where the enum's member has no ``tone`` of its own. Tones are meanings, not
#: colours: active (under way), good (ended well), warn (somebody must do something), bad (refused, overdue, broken),
#: neutral (not begun, or ended without a verdict).
TONES: Mapping[str, str] = {
    # cases
    "draft": "neutral",
    "submitted": "active",
    "correction_requested": "warn",
    "accepted": "active",
    "deemed_accepted": "warn",
    "in_review": "active",
    "approved": "good",
    "rejected": "bad",
    "not_accepted": "bad",
    "completed": "good",
    "withdrawn": "neutral",
    "revoked": "bad",
    # supervision tasks
    "notified": "warn",
    "viewed": "warn",
    "acknowledged": "active",
    "in_progress": "active",
    "finished": "active",
    "fed_back": "good",
    "closed": "good",
    "disputed": "warn",
    "reassigned": "active",
    "rectification": "warn",
    "revocation_proposed": "bad",
    "rectifying": "warn",
    "handed_over": "warn",
    "revocation": "bad",
    "mended": "good",
    "not_mended": "bad",
    "refused": "bad",
    "conforming": "good",
    "basically": "warn",
    "nonconforming": "bad",
    # breaches
    "told": "active",
    "objected": "warn",
    "recorded": "bad",
    "dropped": "neutral",
    # clocks
    "running": "active",
    "paused": "neutral",
    "met": "good",
    "lapsed": "neutral",
    "missed": "bad",
    "cancelled": "neutral",
    # messages
    "queued": "neutral",
    "sending": "active",
    "delivered": "good",
    "unknown": "warn",
    "failed": "bad",
    # catalogue and licences
    "published": "good",
    "retired": "neutral",
    "valid": "good",
    "suspended": "warn",
    "deregistered": "neutral",
    "expired": "neutral",
}

LIGHT_WORDS: Mapping[str, str] = {"green": "正常", "yellow": "临期", "red": "超期", "grey": "暂停"}
CLOSED_STATES = frozenset({"met", "missed", "cancelled"})


class Timed(Protocol):
    """What ``{% light %}`` asks of a deadline."""

    state: str

    def light(self, on: date) -> Any:
        """Return the light of that day; its value is green, yellow, red or grey."""

    def light_text(self, on: date) -> str:
        """Return the words beside it: 剩 3 个工作日, 已超期 2 个工作日, or the state's word when it does not run."""


# --- icons, QR codes


@functools.lru_cache(maxsize=512)
def _icon(name: str, label: str, css: str) -> SafeString:
    attributes: dict[str, object] = {"class": f"icon {css}".strip(), "focusable": "false"}
    attributes |= {"role": "img", "aria-label": label} if label else {"aria-hidden": "true"}
    return mark_safe(lucide(name, size=24, **attributes))  # noqa: S308 - built from the package's own file


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """Render the lucide icon ``name`` inline, as wide as 1.25 letters.

    Decorative (hidden from screen readers) unless ``label`` says what it means. ``css`` adds classes.
    Raises ``lucide.IconDoesNotExist`` for an unknown name.
    """
    return _icon(str(name), str(label), str(css))


@register.simple_tag
def qr(text: str, alt: str = "", css: str = "qr") -> SafeString:
    """Render ``text`` as a QR code (level M, quiet zone of 2 modules) in an image with a data URI; no file, no script.

    ``alt`` should say where the code leads; without it the text itself is read out.
    """
    uri = segno.make(str(text), error="m", micro=False).svg_data_uri(border=2, dark="#1b2733", light="#fff")
    return format_html('<img class="{}" src="{}" alt="{}">', css, uri, alt or f"二维码：{text}")


# --- states and lights


@functools.lru_cache(maxsize=1024)
def _badge(label: str, tone: str) -> SafeString:
    return format_html('<span class="badge-state tone-{}">{}</span>', tone or "neutral", label)


@register.simple_tag
def status_badge(obj: Any, field: str = "") -> SafeString:
    """Render the state of ``obj`` as a badge: word and tone.

    ``obj`` is a model instance with ``status`` (or ``state``, or the field named by ``field``), an enum member, or a
    mapping/object with ``label`` and ``tone``. The word is the enum's label; the tone is the member's ``tone`` if it
    has one, else by ``TONES``, else neutral.
    """
    if isinstance(obj, models.Model):
        name = field or ("status" if hasattr(obj, "status") else "state")
        return _state(type(obj), name, getattr(obj, name))
    if isinstance(obj, Mapping):
        return _badge(str(obj["label"]), str(obj.get("tone", "neutral")))
    return _badge(str(getattr(obj, "label", obj)), _tone(obj, obj))


@functools.lru_cache(maxsize=1024)
def _state(model: type[models.Model], name: str, value: Any) -> SafeString:
    """The badge of a value of a model's field."""
    choices = dict(getattr(model._meta.get_field(name), "flatchoices", None) or ())
    member = next((key for key in choices if key == value), value)
    return _badge(str(choices.get(value, value)), _tone(value, member))


def _tone(value: Any, member: Any) -> str:
    own = getattr(value, "tone", None) or getattr(member, "tone", None)
    return str(own) if own else TONES.get(str(getattr(value, "value", value)).lower(), "neutral")


def _day_of(moment: datetime | None) -> date | None:
    return timezone.localdate(moment) if moment else None


@functools.lru_cache(maxsize=1024)
def _lamp(tone: str, word: str, days: str) -> SafeString:
    beside = format_html('<span class="light-days">{}</span>', days) if days else ""
    return format_html(
        '<span class="light light-{}"><span class="light-dot" aria-hidden="true"></span>'
        '<span class="light-word">{}</span>{}</span>',
        tone, word, beside,
    )  # fmt: skip


CURRENT = mark_safe(' aria-current="page"')
NO_LAMP = mark_safe('<span class="soft">—</span>')


@register.simple_tag(takes_context=True)
def light(context: Context, deadline: Timed | None, on: date | None = None) -> SafeString:
    """Render a deadline's light: dot, word and working days left, never colour alone.

    ``on`` is the local day it is judged on; without it the page's ``today`` or the day of ``request.now`` (the portal's
    clock, training included). Without a deadline a dash. Raises ``LookupError`` when no day is known: a light that
    guesses its day would lie.
    """
    if deadline is None:
        return NO_LAMP
    day = on or context.get("today") or _day_of(getattr(context.get("request"), "now", None))
    if not isinstance(day, date):
        raise LookupError("{% light %} needs `today` in the context, `request.now` or an explicit on=")
    return lamp(deadline, day)


def lamp(deadline: Timed | None, day: date) -> SafeString:
    """The light of a deadline as it is judged on ``day``; without a deadline a dash."""
    if deadline is None:
        return NO_LAMP
    text = deadline.light_text(day)
    if str(deadline.state) in CLOSED_STATES:
        return _lamp("closed", text, "")
    shade = deadline.light(day)
    tone = str(getattr(shade, "value", shade))
    word = LIGHT_WORDS[tone]
    days = "" if text == word else text.removeprefix(f"已{word}").strip()
    return _lamp(tone, word, days)


@register.simple_tag
def row_verb(url: str, verb: str, about: str, primary: bool = False) -> SafeString:
    """Render the verb of a row as a link; ``about`` is read out: which row. ``primary`` marks the list's next step."""
    return format_html(
        '<a class="btn btn-sm btn-{}" href="{}">{}<span class="visually-hidden">：{}</span></a>',
        "primary" if primary else "secondary", url, verb, about,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def rows(context: Context, template: str) -> SafeString:
    """Render the rows of a long list by a compiled template (``lianyungang_gov.rows``), with what the page knows."""
    compiled = engines["rows"].env.get_template(template)  # type: ignore[attr-defined]
    return SafeString(compiled.render(context.flatten()))


@register.simple_tag
def options(rows: Iterable[Mapping[str, Any]]) -> SafeString:
    """Render the options of a select: ``{value, label, selected}``; a department list alone has dozens."""
    return mark_safe(  # noqa: S308 - value and label are escaped
        "".join(
            f'<option value="{escape(row["value"])}"{" selected" if row.get("selected") else ""}>'
            f"{escape(row['label'])}</option>"
            for row in rows
        )
    )


@register.simple_tag
def rail_place(place: Mapping[str, Any]) -> SafeString:
    """Render a place of the rail: ``{label, url, icon, count, active}``; each staff page has a dozen."""
    count = place.get("count")
    beside: str = ""
    if count is not None and count != "":
        beside = format_html('<span class="count">{}<span class="visually-hidden"> 件</span></span>', count)
    return format_html(
        '<li><a href="{}"{}>{}<span>{}</span>{}</a></li>',
        place["url"], CURRENT if place.get("active") else "", icon(place["icon"]) if place.get("icon") else "",
        place["label"], beside,
    )  # fmt: skip


@register.filter
def link(argument: object, name: str) -> str:
    """Write the address of the page ``name`` of this row: ``{{ case.number|link:"window:case" }}``; for lists."""
    return links.link(name)(argument)


# --- dates and masks


def _local(value: date) -> date:
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


@register.filter
def cn_date(value: date | None) -> str:
    """Write a date, or the local day of a moment, as 2026年9月28日（周一）; nothing for nothing."""
    if not value:
        return ""
    day = _local(value)
    return f"{day.year}年{day.month}月{day.day}日（周{WEEKDAYS[day.weekday()]}）"


@register.filter
def cn_day(value: date | None) -> str:
    """Write a date without its weekday, as papers do: 2026年9月28日."""
    return cn_date(value).partition("（")[0]


@register.filter
def month_day(value: date | None) -> str:
    """Write a day without its year, for lists: 9月28日."""
    day = _local(value) if value else None
    return f"{day.month}月{day.day}日" if day else ""


@register.filter
def cn_datetime(value: datetime | None) -> str:
    """Write a moment in local time as 2026年9月28日（周一）15:00; nothing for nothing."""
    return f"{cn_date(value)}{_local(value):%H:%M}" if value else ""


@register.filter
def mask_name(value: str | None) -> str:
    """Mask a person's name: 张*, 欧阳**."""
    return crypto.mask_name(value) if value else ""


@register.filter
def mask_phone(value: str | None) -> str:
    """Mask a phone number: 138****1234."""
    return crypto.mask_phone(value) if value else ""


@register.filter
def mask_id(value: str | None) -> str:
    """Mask an identity number: the first 6 and the last 4 stay."""
    return crypto.mask_id(value) if value else ""


# --- form fields

_KINDS: tuple[tuple[type[forms.Widget], str, str], ...] = (
    (forms.CheckboxSelectMultiple, "group", "form-check-input"),
    (forms.RadioSelect, "group", "form-check-input"),
    (forms.CheckboxInput, "check", "form-check-input"),
    (forms.FileInput, "file", "form-control"),
    (forms.Select, "plain", "form-select"),
)

_REQUIRED_VERBS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxInput, "请勾选："),
    (forms.FileInput, "请上传"),
    (forms.widgets.ChoiceWidget, "请选择"),
)


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField,
    label: str | Promise = "",
    help: str | Promise = "",  # noqa: A002 - reads best in a template
    css: str = "",
    **attributes: object,
) -> dict[str, object]:
    """Render one form field: label, mark, help, control and the error beside it, tied by ``aria-describedby``.

    ``label`` and ``help`` replace the form's own; ``css`` adds classes to the row (field-short, field-inline …);
    further arguments become attributes of the control with ``_`` as ``-`` (``hx_get``, ``data_hotkey``,
    ``autocomplete``, ``inputmode``, ``placeholder``).
    """
    widget = bound.field.widget
    kind, control_css = next(((k, c) for cls, k, c in _KINDS if isinstance(widget, cls)), ("plain", "form-control"))
    if widget.is_hidden:
        kind = "hidden"
    if help:
        bound.help_text = str(help)
    attrs: dict[str, Any] = {name.replace("_", "-"): value for name, value in attributes.items()}
    attrs["class"] = f"{widget.attrs.get('class', '')} {control_css}".strip()
    if kind == "group":
        widget.attrs.update(attrs)
    return {
        "field": bound,
        "kind": kind,
        "control": "" if kind == "group" else bound.as_widget(attrs=attrs),
        "label": label or bound.label,
        "errors": error_texts(bound, str(label)),
        "css": css,
    }


def error_texts(bound: BoundField, label: str = "") -> list[str]:
    """Return the field's errors as sentences; Django's bare “required” becomes what to do: 请填写审查意见。"""
    stock = str(forms.Field.default_error_messages["required"])
    verb = next((verb for cls, verb in _REQUIRED_VERBS if isinstance(bound.field.widget, cls)), "请填写")
    asked = f"{verb}{label or bound.label}。"
    return [asked if text == stock else text for text in map(str, bound.errors)]


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: forms.BaseForm) -> dict[str, object]:
    """Render the list of all errors of a form that came back, each with a link to its field; nothing without errors."""
    fields = [
        {"id": bound.id_for_label or bound.auto_id, "label": bound.label, "errors": error_texts(bound)}
        for bound in form
        if bound.errors
    ]
    general = [str(error) for error in form.non_field_errors()]
    return {"general": general, "fields": fields, "count": len(general) + len(fields)}
