"""What the papers about a licence after its issue say: the notice and the decision of a revocation, 证照变动通知书.

Source: 行政许可法 arts. 7, 8, 46–50, 69, 70; 行政复议法 art. 20, 行政诉讼法 art. 46 (remedies).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from approvals.enums import DocumentKind, LicenceChangeKind

LAW = "《中华人民共和国行政许可法》"
KINDS = frozenset(
    {
        DocumentKind.REVOCATION_NOTICE,
        DocumentKind.HEARING,
        DocumentKind.REVOCATION,
        DocumentKind.NO_REVOCATION,
        DocumentKind.LICENCE_CHANGE,
    }
)
# What may take something from the holder names the remedies.
ADVERSE = (LicenceChangeKind.SUSPENSION, LicenceChangeKind.WITHDRAWAL, LicenceChangeKind.DEREGISTRATION)
FOLLOWS = {
    LicenceChangeKind.CHANGE: "变更后的内容自本通知书载明的日期起生效，原证照未变更的内容继续有效。",
    LicenceChangeKind.RENEWAL: "延续后的有效期如上，其他内容不变。",
    LicenceChangeKind.SUSPENSION: "中止期间不得从事该项许可的活动；中止的原因消除后恢复。",
    LicenceChangeKind.RESUMPTION: "自本通知书载明的日期起恢复，可以继续从事该项许可的活动。",
    LicenceChangeKind.WITHDRAWAL: "自本通知书载明的日期起不得再从事该项许可的活动，本机关随后依法办理注销手续。"
    "由此造成财产损失的，依法给予补偿。",
    LicenceChangeKind.DEREGISTRATION: "本机关已依法办理注销手续，请将证照原件交回；注销后不得再从事该项许可的活动。",
}


def body(kind: DocumentKind, text: str, extra: Mapping[str, Any], remedies: str) -> dict[str, Any]:
    """Return addressee, paragraphs, table, basis and remedies.

    ``extra`` has ``to``, ``licence`` (number), ``name`` (of the licence) and ``issued`` (a day as papers write it), and
    of the notice: ``ground``, ``until`` and, where it takes the place of one, ``replaces`` (its number);
    of a hearing: ``on``, ``place``, ``chair``; of a decision: ``ground``,
    ``heard`` (sentences), ``public_interest``, ``compensation``; of a change: ``kind``, ``basis``, ``rows`` (what,
    before, after).
    """
    about = f"你（单位）于{extra['issued']}取得的“{extra['name']}”（证照编号：{extra['licence']}）"
    found: dict[str, Any] = {"to": extra["to"]}
    if kind == DocumentKind.REVOCATION_NOTICE:
        return found | _notice(about, text, extra)
    if kind == DocumentKind.HEARING:
        return found | _hearing(about, extra)
    if kind == DocumentKind.LICENCE_CHANGE:
        return found | _change(about, text, extra, remedies)
    if kind == DocumentKind.NO_REVOCATION:
        interest = extra["public_interest"]
        return found | {
            "paragraphs": [
                f"{about}，监管部门建议撤销。{''.join(extra['heard'])}经审查，本机关决定不予撤销。",
                *_lines("理由", text),
                *([f"关于公共利益：{interest}"] if interest else []),
                "该证照继续有效。",
            ],
            "basis": f"{LAW}第六十九条",
        }
    return found | {
        "paragraphs": [
            f"{about}，{''.join(extra['heard'])}经审查，本机关决定予以撤销，并依法办理注销手续。",
            *_lines("事实和理由", text),
            f"法定情形：{extra['ground']}。",
            f"撤销是否可能对公共利益造成重大损害：{extra['public_interest']}",
            f"是否给予赔偿：{extra['compensation']}",
            *([_barred(extra["barred_until"])] if extra.get("barred_until") else []),
            "自收到本决定书之日起，不得再从事该项许可的活动，请将证照原件交回。",
        ],
        "basis": f"{LAW}第六十九条、第七十条第四项",
        "remedies": remedies,
    }


def _barred(until: str) -> str:
    """What art. 79 adds."""
    concerns = "该许可属于直接关系公共安全、人身健康、生命财产安全的事项"
    return f"{concerns}，依照{LAW}第七十九条，{until}以前不得再次申请该许可。"


def _lines(title: str, text: str) -> list[str]:
    """What was written, a paragraph for each of its lines; the first one says what it is."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [f"{title}：{lines[0] if lines else text}", *lines[1:]]


def _notice(about: str, text: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "paragraphs": [
            f"{about}，本机关拟予撤销。",
            *(
                [f"本机关{extra['replaces']}《撤销行政许可告知书》由本告知书代替，陈述申辩和听证的期限重新计算。"]
                if extra.get("replaces")
                else []
            ),
            *_lines("事实和理由", text),
            f"拟适用的法定情形：{extra['ground']}。",
            f"你（单位）有权陈述、申辩，也有权要求听证。请在{extra['until']}前提出；可以到收件窗口提出，"
            "也可以在本平台“办件进度”页凭短信验证码提出。",
            "要求听证的，本机关在收到要求之日起二十个工作日内组织，并于举行听证的七个工作日前通知时间和地点；听证不收费用。",
            "逾期未提出的，视为放弃陈述、申辩和听证，本机关依法作出决定。书面放弃的，本机关可以在期限届满前作出决定。",
        ],
        "basis": f"{LAW}第七条、第四十六条至第四十八条、第六十九条",
    }


def _hearing(about: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "paragraphs": [
            f"{about}，本机关拟予撤销，已告知你（单位）有权要求听证。应你（单位）的要求，现定于{extra['on']}在{extra['place']}公开举行听证；"
            "涉及国家秘密、商业秘密或者个人隐私的，不公开举行。",
            f"听证主持人：{extra['chair']}。你（单位）认为主持人与本事项有直接利害关系的，有权申请回避。",
            "请你（单位）准时参加，可以委托一至二人代理；可以提出证据，进行申辩和质证。无正当理由不参加或者中途退出的，视为放弃听证。",
            "听证不收费用。本机关将根据听证笔录作出决定。此前发出的听证通知与本通知不一致的，以本通知为准。",
        ],
        "basis": f"{LAW}第四十六条至第四十八条",
    }


def _change(about: str, text: str, extra: Mapping[str, Any], remedies: str) -> dict[str, Any]:
    kind = LicenceChangeKind(extra["kind"])
    rows = [[str(number), *row] for number, row in enumerate(extra["rows"], start=1)]
    return {
        "paragraphs": [f"{about}，本机关决定{kind.label}。", f"理由：{text}"],
        "head": ["序号", "项目", "变动前", "变动后"],
        "table": rows,
        "closing": [FOLLOWS[kind]],
        "basis": extra["basis"],
        **({"remedies": remedies} if kind in ADVERSE else {}),
    }
