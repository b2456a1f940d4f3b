"""What a reader of addresses sees: characters in one writing, numbers in digits, remarks set aside.

Unlike ``normalise``, which prepares for exact comparison, this also takes away what people write around an
address (现住：…, …（租住）) and keeps a mark where a remark makes the place itself doubtful (对面, 附近).
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from gis.addresses.characters import CAPITALS, SPELLED_ELSE, SPELLINGS
from gis.addresses.numerals import digits

DOUBT: Final = "※"
"""Stands where a remark says that the place meant is not the one named."""
NEARBY: Final = re.compile(
    "附近|旁边|旁$|旁(?=[0-9])|斜?对面|对过|隔壁|后面|前面|门口$|路口|交叉口|交汇处|周边|一带|边上|拐角|之间|以[东西南北]"
    "|[东西南北][侧面边]|[往向][东西南北]|[0-9]+米|已拆|已搬|搬走|待拆|、|~|或|至(?=[0-9])"
    f"|{DOUBT}"
)
"""Words that name a place beside the one written, or several."""

_CAPITAL: Final = "".join(CAPITALS)
_ONE: Final = f"零〇一二两三四五六七八九十百千廿卅{_CAPITAL}"
_PLAIN: Final = "零一二三四五六七八九"
_NUMERAL: Final = f"[{_ONE}]"
_LOWER: Final = re.compile("[a-z]+")
_BLANK: Final = r"[^\S\n]"
_LABEL: Final = re.compile(
    f"^(?:{_BLANK}|[,.。:;])*(?:(?:现|暂|常|家庭|户籍|详细|实际|租住|经常|目前|临时|长期)*"
    f"(?:居住?地?址?|住所?|住地|住址|地址|住处|住在)(?:地|为|在|于)?(?:{_BLANK}|[:;,])+"
    "|(?:现|暂|常|临时|长期|目前)*(?:居住|租住|暂住|借住|寄住|住)(?:地址|地|址|在|于)?|地址|家庭住址)"
    f"(?:{_BLANK}|[:;,])*",
    re.MULTILINE,
)
_BRACKETED: Final = re.compile("[(\\[{【〔〖<《「『]([^()\\[\\]{}【】〔〕〖〗<>《》「」『』\n]*)[)\\]}】〕〗>》」』]")
_OPEN: Final = re.compile("[(\\[{【〔〖<《「『][^0-9\n]*$", re.MULTILINE)
_DIVISION: Final = re.compile("[一-鿿]{1,20}(?:省|自治区|市|区|县|镇|乡|街道|村|社区)")
_PART: Final = re.compile("(?:[A-Z0-9]|[东西南北中]|[一二三四五六])+(?:区|期|院|座|栋|幢|号楼|单元|室)")
_BESIDE: Final = re.compile("(?:的?(?:斜?对面|对过|附近|旁边?|隔壁|后面|前面|周边|一带|[东西南北][侧面边]|后|边上))+")
_AFTERWORD: Final = re.compile(
    f"(?<=[0-9A-Z#{_ONE}室户号楼元层栋幢座组队社房院])(?:[^\\S\n]|[,;.。、:/-])*(?:(?:现|暂|临时|长期|目前)*(?:租住|租房|租用|出租|租户|承租|租赁|居住|暂住"
    "|自住|借住|寄住|合租|整租|入住|住)(?:人员?|户|屋|房|中|此处|在此|于此)?|自建房|自购房|自有房|商品房|安置房|公租房|廉租房|出租[屋房]"
    "|(?:二?房东|亲戚|朋友|父母|子女|儿子|女儿|岳父|同事|老乡)[的]?家?|自己?家|本人|[一-鿿]某*家|租)[,;.。]*$",
    re.MULTILINE,
)
_UNUSUAL: Final = re.compile("[^一-鿿〇0-9A-Z#~※\n]+")
_LISTED: Final = re.compile("(?<=[0-9室户号楼栋幢座])[^\\S\n]*、[^\\S\n]*(?=[0-9])")
_OF: Final = re.compile("(?<=[0-9])(?:之|号之)(?=[0-9])")
_SITE: Final = "(?:工程)?(?:项目|工地|施工)"
_COUNTED: Final = (
    f"号|单(?=[0-9{_ONE}])|房(?:间)?(?![一-鿿])|[#幢栋座层楼室排梯冢]|期(?!{_SITE})|单元|门(?=[0-9{_ONE}洞栋]|$)|[组队](?![建一-鿿]*局)|村民小组|小组|居民小组|生产队"
    f"|社(?=[0-9{_ONE}]|$)|户$|区(?!社区)"
)
_PHASE_OF_SITE: Final = re.compile(f"[1-9](?=期{_SITE})")
_ILLEGIBLE: Final = frozenset("*?×")
_CHINESE_NUMBER: Final = re.compile(
    f"(?<![0-9A-Z{_ONE}])(?!(?<=[一-鿿])(?<![路街巷道村组队社第附])[{_CAPITAL}]号(?!楼))"  # 城市壹号 is a name
    f"{_NUMERAL}+(?={_COUNTED})"
    f"|(?<=[路街巷道]){_NUMERAL}*百{_NUMERAL}*(?=[一-鿿])"
    f"|(?<=[0-9A-Z元单层楼门洞号栋幢座室房#组队社村路街巷道]){_NUMERAL}+$"
    f"|(?<=[0-9{_ONE}]-){_NUMERAL}+|{_NUMERAL}+(?=-[0-9{_ONE}])",
    re.MULTILINE,
)


def clean(text: str) -> str:
    """Return an address as a reader takes it in; empty where nothing of it is left."""
    return clean_many([text])[0]


def clean_many(texts: Sequence[str]) -> list[str]:
    """Return n addresses as a reader takes them in; all are worked on as one string, a line each."""
    text = "\n".join([text.replace("\n", " ").replace("\r", " ") for text in texts])
    if not unicodedata.is_normalized("NFKC", text):
        text = "\n".join([unicodedata.normalize("NFKC", line).replace("\n", " ") for line in text.split("\n")])
    text = _LOWER.sub(lambda found: found[0].upper(), text)
    text = SPELLED_ELSE.sub(lambda found: SPELLINGS[found[0]], text)
    text = _LABEL.sub("", text)
    text = _OPEN.sub("", _BRACKETED.sub(_in_brackets, text))
    text = _AFTERWORD.sub("", text)
    text = _LISTED.sub("或", text)
    text = _UNUSUAL.sub(_joint, text)
    text = _PHASE_OF_SITE.sub(lambda found: _PLAIN[int(found[0])], text)
    text = _CHINESE_NUMBER.sub(_in_digits, text)
    return _OF.sub("-", text).split("\n") if texts else []


def _in_brackets(found: re.Match[str]) -> str:
    """Return what of a remark in brackets belongs to the address: a part of it, or the doubt it casts."""
    inside = found[1].strip()
    if _BESIDE.fullmatch(inside):
        return DOUBT
    if _PART.fullmatch(inside) or _DIVISION.fullmatch(inside):
        return inside
    at_start = found.start() == 0 or found.string[found.start() - 1] == "\n"
    return inside if at_start else ","


def _joint(found: re.Match[str]) -> str:
    """Return what stays of a run that is neither a common character nor a digit.

    Rare letters stay; of spaces and punctuation a hyphen between numbers, or a gap that tells them apart.
    """
    run = found[0]
    letters = "".join(filter(str.isalnum, run))
    if letters:
        return letters
    text, start, end = found.string, found.start(), found.end()
    before, after = text[start - 1 : start], text[end : end + 1]
    if _ILLEGIBLE & set(run) and (before.isdigit() or after.isdigit()):
        return DOUBT  # 1*号楼 may be any of ten
    if before == "号" and run.strip() == "-" and after.isascii() and after.isdigit():
        return "-"  # 13号-1 may be 13-1号, or room 1 of 13号
    if not (_is_number(before) and _is_number(after)):
        return ""
    if "-" in run or run.strip() in {"/", ".", "·", "_", "\\", "‧", "•"}:
        return "-"
    return " " if before.isdigit() and after.isdigit() and before.isascii() and after.isascii() else ""


def _is_number(character: str) -> bool:
    return character != "" and ((character.isascii() and character.isalnum()) or character in _ONE)


def _in_digits(found: re.Match[str]) -> str:
    """Return a Chinese number as ASCII digits; one that is no proper number stays as it is."""
    return digits(found[0]) or found[0]
