"""The style guide: every component with sample data on one page, and the frames they stand in (demo only).

The people, firms and numbers here are invented and live nowhere but in this file.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 9, 28)
MORNING = datetime(2026, 9, 28, 9, 12, tzinfo=ZONE)
FRAMES = ("staff", "window", "task", "paper", "problem", "home")


@dataclass(frozen=True)
class SampleDeadline:
    """A deadline that only knows its light and its days."""

    shade: str
    text: str
    state: str = "running"

    def light(self, on: date) -> str:
        """Return the sample's fixed light, whatever the day."""
        return self.shade

    def light_text(self, on: date) -> str:
        """Return the sample's fixed words, whatever the day."""
        return self.text


LIGHTS = [
    SampleDeadline("green", "剩 9 个工作日"),
    SampleDeadline("yellow", "剩 1 个工作日"),
    SampleDeadline("yellow", "今天到期"),
    SampleDeadline("red", "已超期 3 个工作日"),
    SampleDeadline("grey", "暂停", "paused"),
    SampleDeadline("grey", "按期完成", "met"),
]


class SampleForm(forms.Form):
    """One field of each kind."""

    code = forms.CharField(label="统一社会信用代码", help_text="营业执照右上方的 18 位代码")
    name = forms.CharField(label="申请人名称")
    phone = forms.CharField(label="联系电话", required=False, help_text="用于接收办理进度短信")
    way = forms.ChoiceField(
        label="办理方式",
        widget=forms.RadioSelect,
        choices=[("full", "材料齐全办理"), ("deferred", "告知承诺：材料延期提交"), ("post", "告知承诺：事后核查")],
    )
    county = forms.ChoiceField(label="办理地点", choices=[("", "请选择"), ("320722", "东海县"), ("320723", "灌云县")])
    opinion = forms.CharField(label="审查意见", widget=forms.Textarea(attrs={"rows": 3}))
    licence = forms.FileField(label="营业执照", help_text="PDF、JPG、PNG，单个不超过 20 MB")
    consent = forms.BooleanField(label="我已逐条阅读承诺内容，愿意承担不实承诺的后果")


def _form() -> SampleForm:
    form = SampleForm(
        {"code": "91350100M000100Y42", "name": "连云港海州湾演示有限公司", "way": "deferred", "county": "320722"}
    )
    form.add_error("code", "统一社会信用代码第 18 位校验不符，请核对营业执照")
    return form


def _steps() -> list[dict[str, Any]]:
    names = ["提交", "收件", "受理", "审查", "决定", "制证", "送达", "评价"]
    states = ["done", "done", "done", "current", "todo", "todo", "todo", "todo"]
    notes = ["", "", "", "还剩 3 个工作日", "承诺 10 月 10 日前", "", "", ""]
    days = [TODAY - timedelta(days=4), TODAY - timedelta(days=4), TODAY - timedelta(days=3)]
    return [
        {"label": name, "state": states[i], "note": notes[i], "at": days[i] if i < len(days) else None}
        for i, name in enumerate(names)
    ]


def _rows() -> list[dict[str, Any]]:
    texts = [
        ("3207002026092800001", "公共场所卫生许可（新办）", "审查岗待办", "warn", LIGHTS[3], "审查"),
        ("3207002026092800002", "建设工程消防设计审查", "审查中", "active", LIGHTS[1], "审查"),
        ("3207002026092800017", "商品房预售许可", "特别程序", "neutral", LIGHTS[4], "查看"),
        ("3207002026092800023", "危险货物运输经营许可（新增）", "审查中", "active", LIGHTS[0], "审查"),
    ]
    return [
        {
            "number": number,
            "item": item,
            "badge": {"label": label, "tone": tone},
            "deadline": deadline,
            "verb": verb,
            "selected": index == 1,
        }
        for index, (number, item, label, tone, deadline, verb) in enumerate(texts)
    ]


def _materials() -> list[dict[str, Any]]:
    return [
        {
            "order": 1,
            "name": "公共场所卫生许可证申请表",
            "required": True,
            "form": "原件",
            "copies": 1,
            "source": "公共场所卫生管理条例实施细则第二十三条",
            "badge": {"label": "已收", "tone": "good"},
            "files": [{"name": "申请表.pdf", "url": "#m1", "size": "0.4 MB", "who": "窗口 王敏", "at": MORNING}],
        },
        {
            "order": 2,
            "name": "公共场所卫生检测或者评价报告",
            "required": True,
            "form": "原件",
            "copies": 1,
            "certainty": "待核实",
            "badge": {"label": "需补正", "tone": "warn"},
            "note": "报告缺少检测机构盖章页，请补交。",
        },
        {
            "order": 3,
            "name": "使用集中空调通风系统的，提供检测报告",
            "required": False,
            "condition": "使用集中空调的",
            "form": "复印件",
            "copies": 1,
            "badge": {"label": "未收", "tone": "neutral"},
        },
    ]


def _entries() -> list[dict[str, Any]]:
    return [
        {
            "at": MORNING,
            "label": "受理",
            "who": "窗口 王敏",
            "note": "受理通知书 连×许受〔2026〕12号",
            "tone": "active",
        },
        {"at": MORNING - timedelta(minutes=9), "label": "收件", "who": "窗口 王敏", "note": "收到材料 3 份"},
        {"at": MORNING - timedelta(days=3), "label": "要求补正", "tone": "warn", "note": "一次告知 1 项"},
    ]


def _context(request: HttpRequest) -> dict[str, Any]:
    places = [
        {"label": "待签收", "url": "?frame=task", "icon": "inbox", "count": 3, "active": False},
        {"label": "待审查", "url": "?frame=staff", "icon": "file-search", "count": 12, "active": True},
        {"label": "特别程序", "url": "#a", "icon": "circle-pause", "count": 1, "active": False},
        {"label": "本周到期", "url": "#b", "icon": "alarm-clock", "count": 4, "active": False},
        {"label": "已办结", "url": "#c", "icon": "archive", "count": "", "active": False},
    ]
    return {
        "today": TODAY,
        "training": {"on": request.GET.get("training") == "1", "now": MORNING},
        "desk": {"name": "审查岗工作台", "places": places},
        "person": {"name": "李文博（演示）", "office": "市卫健委 行政审批处", "role": "审查人员"},
        "form": _form(),
        "lights": LIGHTS,
        "tones": [
            {"label": "草稿", "tone": "neutral"},
            {"label": "审查中", "tone": "active"},
            {"label": "已办结", "tone": "good"},
            {"label": "待补正", "tone": "warn"},
            {"label": "不予许可", "tone": "bad"},
        ],
        "steps": _steps(),
        "form_steps": [
            {"label": "选择事项", "state": "done", "url": "#s"},
            {"label": "申请人", "state": "done", "url": "#s"},
            {"label": "核对材料", "state": "current"},
            {"label": "收件确认", "state": "todo"},
        ],
        "entries": _entries(),
        "materials": _materials(),
        "rows": _rows(),
        "stats": [
            {"label": "全部", "count": 12, "url": "#1", "active": True},
            {"label": "超期", "count": 1, "url": "#2", "tone": "bad"},
            {"label": "临期", "count": 2, "url": "#3", "tone": "warn"},
            {"label": "正常", "count": 8, "url": "#4", "tone": "good"},
            {"label": "暂停", "count": 1, "url": "#5"},
        ],
        "bar": {
            "action": request.path,
            "q_label": "办件编号或事项",
            "placeholder": "例如 32070020260928",
            "selects": [
                {
                    "name": "light",
                    "label": "时限",
                    "options": [{"value": "", "label": "全部"}, {"value": "red", "label": "超期"}],
                },
                {"name": "item", "label": "事项", "options": [{"value": "", "label": "全部事项"}]},
            ],
            "chips": [{"label": "事项：公共场所卫生许可", "url": "#x"}, {"label": "本周到期", "url": "#y"}],
            "clear_url": "#z",
        },
        "pager": {"first_url": "", "previous_url": "", "next_url": "#next", "summary": "按到期日先后，本页 50 件"},
        "paper": {
            "title": "受理通知书",
            "number": "连卫许受〔2026〕12号",
            "addressee": "连云港海州湾演示有限公司",
            "authority": "连云港市卫生健康委员会",
            "date": TODAY,
            "url": "?frame=paper",
            "print_url": "?frame=paper",
            "verify_url": "https://portal.example/verify/7K2M9Q",
            "verify_code": "7K2M 9Q4T",
            "badge": {"label": "已送达", "tone": "good"},
        },
        "facts": [
            {"label": "办理事项", "value": "公共场所卫生许可（新办）"},
            {"label": "法定期限", "value": "20 个工作日，自受理起", "source": "行政许可法第四十二条"},
            {"label": "承诺期限", "value": "5 个工作日"},
            {"label": "收费", "value": "不收费"},
        ],
        "measures": [
            {"value": "on", "label": "现场检查", "help": "两人以上，出示证件", "icon": "map-pin", "checked": True},
            {"value": "off", "label": "非现场核查", "help": "调阅资料、数据比对", "icon": "monitor-check"},
            {"value": "draw", "label": "纳入双随机", "help": "列入本季度抽查库", "icon": "shuffle"},
        ],
        "follows": [
            "向申请人发出受理通知书，载明决定日期 2026年10月10日",
            "法定与承诺两个期限从今天起计算",
            "办件转入审查岗，您不能再修改材料清单",
        ],
        "keys": [{"key": "k", "label": "搜索"}, {"key": "s", "label": "受理"}, {"key": "b", "label": "补正"}],
    }


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component; ``?frame=`` (see ``FRAMES``) shows a whole such page, ``?training=1`` its banner."""
    frame = request.GET.get("frame", "")
    template = f"styleguide/{frame}.html" if frame in FRAMES else "styleguide.html"
    return render(request, template, _context(request))
