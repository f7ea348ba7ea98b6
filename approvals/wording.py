"""What is written about a case before its decision must not tell whose case it is (O3.1.2c)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

from django.db import transaction

from approvals.enums import CaseAct
from approvals.exceptions import Refused
from approvals.models import Case
from credit.identifiers import normalise
from ledger.record import Draft, record_many
from offices.models import User

# A company's name is 区划 + 字号 + 行业 + 组织形式 (企业名称登记管理规定, art. 6); only the 字号 is its own.
PLACES = re.compile(
    "^(?:中国|江苏省?|连云港市?|海州区?|连云区|赣榆区?|东海县?|灌云县?|灌南县?|徐圩新区|徐圩|云台山|南京市?|徐州市?|苏州市?|上海市?|北京市?)"
)
FORMS = re.compile(
    "(?:有限责任公司|股份有限公司|有限公司|集团公司|总公司|分公司|公司|集团|普通合伙|有限合伙|特殊普通合伙|合伙企业|企业|事务所"
    "|经营部|服务部|工作室|合作社|个体工商户|总店|分店|商行|商店|超市|饭店|酒店|宾馆|餐厅|门店|店|厂|场|行|部|社|院|中心)$"
)
TRADES = (
    "房地产开发|房地产|置业|地产|物业管理|物业|建筑工程|建筑安装|建筑|建设工程|建设|工程"
    "|装饰|市政|园林|化学工业|精细化工|石油化工|石化|化工|化学|新材料|材料|新能源|能源|电力"
    "|燃气|光伏|环保科技|环保|环境|水务|科技发展|信息技术|信息|技术|科技|电子|机械制造|机械"
    "|制造|装备|设备|港口|港务|航运|国际物流|物流|货运|运输|仓储|汽车|商贸|贸易|进出口"
    "|国际|实业|投资|控股|发展|开发|管理|咨询|服务|人力资源|劳务派遣|劳务|教育|文化传媒"
    "|文化|旅游|健身|酒店管理|餐饮管理|餐饮|食品|农业|水产|医药|药业|医疗|生物|纺织|服装"
    "|家具|广告|印刷|包装"
)
TRADE_END = re.compile(f"(?:{TRADES})$")
# What makes a company's name of a short word that follows it or not: 鸿雁 alone may be a bird, 鸿雁公司 is not.
COMPANY_WORDS = f"{TRADES}|有限|股份|集团|公司|企业|厂|店"
IN_BRACKETS = re.compile(r"[(（][^)）]*[)）]")
# From this length on a 字号 says by itself whose case it is; a shorter one may be a place or a common word.
LONG_ENOUGH = 4
SHORTEST = 2


def trade_name(name: str) -> str:
    """The 字号 of a company's name; empty where the name is not built as the rules say, or nothing is left.

    连云港鸿雁高飞置业有限公司 → 鸿雁高飞. Names of people have no organisation form and give nothing.
    """
    bare = IN_BRACKETS.sub("", name).strip()
    core = FORMS.sub("", bare)
    if core == bare:
        return ""
    core = FORMS.sub("", core)
    while (rest := TRADE_END.sub("", core)) != core:
        core = rest
    # 海州湾 is a 字号, and not the place 海州 with something after it.
    while (place := PLACES.match(core)) and (place.end() == len(core) or len(core) - place.end() >= SHORTEST):
        core = core[place.end() :]
    return core if len(core) >= SHORTEST else ""


def _calls(plain: str, name: str) -> bool:
    """Whether the 字号 of ``name`` stands in the normalised text: a long one anywhere, a short one as a company's."""
    core = normalise(trade_name(name))
    if not core:
        return False
    if len(core) >= LONG_ENOUGH:
        return core in plain
    return re.search(f"{re.escape(core)}(?:{COMPANY_WORDS})", plain) is not None


def betrays(text: str, words: Iterable[str | None]) -> bool:
    """Whether one of ``words`` (names, codes, a phone), or a company's 字号, stands in ``text`` in any writing."""
    plain = normalise(text)
    return any(word and normalise(word) and (normalise(word) in plain or _calls(plain, word)) for word in words)


def identity_of(case: Case) -> dict[str, list[str]]:
    """Kind → the words that would tell whose case it is; the applicant must be loaded."""
    subject = case.applicant
    names = [case.applicant_name, subject.name]
    cores = [core for core in map(trade_name, names) if len(core) >= LONG_ENOUGH]
    found = {
        "name": [*names, *cores],
        "code": [subject.code, subject.id_number],
        "phone": [case.contact_phone],
        "contact": [case.contact_name],
    }
    return {kind: [word for word in dict.fromkeys(words) if word] for kind, words in found.items()}


def refuse_applicant(case: Case, texts: Mapping[str, str], *, by: User, now: dt.datetime) -> None:
    """Refuse a text, by its field, in which the applicant's name, 字号, code or phone stands; as intake does.

    A refusal would also answer a guess, so each is written on the ledger, outside of the act that it stops.
    """
    if not any(text.strip() for text in texts.values()):
        return
    known = Case.objects.select_related("applicant").get(pk=case.pk)
    subject = known.applicant
    words = (known.applicant_name, subject.name, subject.code, subject.id_number, known.contact_phone)
    for field, text in texts.items():
        if betrays(text, words):
            with transaction.atomic():
                Case.objects.lock(known.pk)
                record_many([Draft(known.stream, CaseAct.APPLICANT_NAMED, {"field": field}, by)], at=now)
            raise Refused(
                "text-names-applicant",
                "文字里有申请人名称、证照号码或电话。决定作出前不得写明是谁的办件，请改写；这次填写已记入留痕。",
                field=field,
            )
