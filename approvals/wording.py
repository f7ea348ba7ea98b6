"""What is written about a case before its decision must not tell whose case it is (O3.1.2c)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

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
    "|家具|广告|印刷|包装|烘焙|蛋糕|饮品|奶茶|咖啡|茶馆|茶叶|火锅|烧烤|小吃|快餐|美食|海鲜|粮油|酒业|饮料|乳业|百货|便利"
    "|大药房|药房|诊所|门诊|口腔|眼镜|美容美发|美容|美发|养生|足浴|洗浴|游泳|体育|影城|影院|娱乐|网吧|培训|幼儿园|养老|家政"
    "|保洁|五金|建材|钢铁|金属|电器|船舶|海运|渔业|养殖|畜牧|饲料|种业|花卉|苗木|林业|网络|软件|智能|数据|通信|安全|消防"
    "|检测|设计|测绘|监理|招标|拍卖|典当|担保|租赁|资产|财务|供应链|客运|出租|驾校|汽修|维修|加油站|油气|矿业|水泥|玻璃"
    "|陶瓷|塑料|橡胶|涂料|农资|珠宝|摄影|传媒|旅馆|民宿|公寓"
)
TRADE_END = re.compile(f"(?:{TRADES})$")
# What makes a company's name of a short word that follows it or not: 鸿雁 alone may be a bird, 鸿雁公司 is not.
COMPANY_WORDS = f"{TRADES}|有限|股份|集团|公司|企业|厂|店"
IN_BRACKETS = re.compile(r"[(（][^)）]*[)）]")
# From this length on a 字号 says by itself whose case it is; a shorter one may be a place or a common word.
LONG_ENOUGH = 3
SHORTEST = 2
# Places and sights after which companies are named: alone they are an address.
SIGHTS = frozenset(
    [
        "海州湾",
        "花果山",
        "云台山",
        "孔望山",
        "锦屏山",
        "连岛",
        "西连岛",
        "东连岛",
        "东西连岛",
        "秦山岛",
        "高公岛",
        "羊山岛",
        "前三岛",
        "新浦",
        "墟沟",
        "大浦",
        "板桥",
        "港城",
        "新沂河",
        "蔷薇河",
        "石梁河",
        "临洪河",
        "盐河",
        "陇海",
        "苍梧",
        "朝阳",
        "南城",
        "宿城",
        "中云",
        "猴嘴",
        "赣马",
        "青口",
        "牛山",
        "伊山",
        "新安",
    ]
)
# Shorter than this, letters of a name's pinyin stand in too many other words.
LEAST_PINYIN = 7
NUMERALS = str.maketrans("〇零一壹幺二贰两三叁四肆五伍六陆七柒八捌九玖", "0011122233445566778899")
SPOKEN = tuple(
    str.maketrans("0123456789", digits)
    for digits in ("零一二三四五六七八九", "〇一二三四五六七八九", "零幺二三四五六七八九")
)
HAN = re.compile("[\u3400-\u9fff]+")
PHONE_LIKE = re.compile("[0-9]{7,}")


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


@lru_cache(maxsize=8192)
def _sound(char: str) -> str:
    """How a character is read, with its tone; the same for its simplified and its traditional form."""
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 - large: see catalogue.pinyin

    return str(lazy_pinyin(char, style=Style.TONE3)[0])


def _sounds(text: str) -> list[str]:
    return [_sound(char) for char in text]


def _letters(name: str) -> str:
    """The pinyin of a name in capital letters without tones; empty where it is no Chinese name."""
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - large: see catalogue.pinyin

    return "".join(lazy_pinyin(name)).upper() if HAN.fullmatch(name) else ""


def _sounds_like(plain: str, name: str) -> bool:
    """Whether a run of characters is read as ``name`` is: traditional characters, or others of the same sound."""
    wanted = _sounds(name)
    for run in HAN.findall(plain):
        said = _sounds(run)
        if any(said[at : at + len(wanted)] == wanted for at in range(len(said) - len(wanted) + 1)):
            return True
    return False


def _is_long(core: str) -> bool:
    return len(core) >= LONG_ENOUGH and core not in SIGHTS


def _calls(plain: str, name: str) -> bool:
    """Whether the 字号 of ``name`` stands in the normalised text: a long one anywhere, a short one as a company's.

    A long one also in traditional characters and in pinyin, and so does a whole name that is long enough.
    """
    core = normalise(trade_name(name)) or (normalise(name) if HAN.fullmatch(normalise(name)) else "")
    if not core:
        return False
    if not _is_long(core):
        return re.search(f"{re.escape(core)}(?:{COMPANY_WORDS})", plain) is not None
    letters = _letters(core)
    return core in plain or _sounds_like(plain, core) or (len(letters) >= LEAST_PINYIN and letters in plain)


def betrays(text: str, words: Iterable[str | None]) -> bool:
    """Whether one of ``words`` (names, codes, a phone), or a company's 字号, stands in ``text`` in any writing.

    Any width, with blanks, marks and invisible characters between; digits also as Chinese numerals.
    """
    plain = normalise(text)
    counted = plain.translate(NUMERALS)
    for word in filter(None, words):
        known = normalise(word)
        if len(known) < SHORTEST:
            continue
        digits = PHONE_LIKE.search(known) is not None
        if known in plain or (digits and known in counted) or _calls(plain, word):
            return True
    return False


def may_betray(text: str, names: Iterable[str | None]) -> str:
    """A sentence about a 字号 of two characters, or one that is a place, in ``text``; empty where none stands there.

    Such a word may be a street: it is no ground to refuse, so a person is asked to look.
    """
    plain = normalise(text)
    for name in filter(None, names):
        core = normalise(trade_name(name))
        if core and not _is_long(core) and core in plain:
            return f"文字里有“{core}”，与申请人的字号相同。如果不是地名，请改写，审查人员不应知道是谁的办件。"
    return ""


def identity_of(case: Case) -> dict[str, list[str]]:
    """Kind → the words that would tell whose case it is; the applicant must be loaded."""
    subject = case.applicant
    return identity(
        [case.applicant_name, subject.name],
        [subject.code, subject.id_number],
        phone=case.contact_phone,
        contact=case.contact_name,
    )


def identity(names: list[str], codes: list[str | None], *, phone: str, contact: str) -> dict[str, list[str]]:
    """Kind → the words that would tell who this is."""
    cores = [core for core in map(trade_name, names) if _is_long(core)]
    latin = [letters for letters in map(_letters, cores) if len(letters) >= LEAST_PINYIN]
    found: dict[str, list[str | None]] = {
        "name": [*names, *cores, *latin],
        "code": [*codes],
        "phone": [phone, *(phone.translate(digits) for digits in SPOKEN)],
        "contact": [contact],
    }
    return {kind: [word for word in dict.fromkeys(words) if word] for kind, words in found.items()}


def refuse_applicant(case: Case, texts: Mapping[str, str], *, by: User, now: dt.datetime) -> None:
    """Refuse a text, by its field, in which the applicant's name, 字号, code, phone or contact stands; as intake does.

    A refusal would also answer a guess, so each is written on the ledger, outside of the act that it stops.
    """
    if not any(text.strip() for text in texts.values()):
        return
    known = Case.objects.select_related("applicant").get(pk=case.pk)
    subject = known.applicant
    words = (
        known.applicant_name, subject.name, subject.code, subject.id_number, known.contact_phone, known.contact_name,
    )  # fmt: skip
    for field, text in texts.items():
        if betrays(text, words):
            with transaction.atomic():
                Case.objects.lock(known.pk)
                record_many([Draft(known.stream, CaseAct.APPLICANT_NAMED, {"field": field}, by)], at=now)
            raise Refused(
                "text-names-applicant",
                "文字里有申请人名称（字号）、证照号码、联系人或电话。决定作出前不得写明是谁的办件，请改写；这次填写已记入留痕。",
                field=field,
            )
