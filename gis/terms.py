"""Every word of the register, once: English, Chinese, and the law it comes from.

Members are strings, so a term can be stored, compared and serialised as it is; ``.zh`` and ``.en``
are what a page shows and ``.source`` is the article or standard that gives the word its meaning.
"""

from enum import StrEnum
from typing import Self

REGULATION = "宁夏回族自治区流动人口服务管理办法"
SRID = 4490
"""EPSG code of CGCS2000 (GB/T 18522) in degrees: every geometry is kept in it, as longitude, latitude."""


class Term(StrEnum):
    """A word with its Chinese and English face and its legal source."""

    zh: str
    en: str
    source: str

    def __new__(cls, value: str, *faces: str) -> Self:
        """Make a member from its stored value and its faces: Chinese, English and, where there is one, source."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.zh, member.en, member.source = (*faces, "")[:3]
        return member


class BuildingKind(Term):
    """What kind of residential structure a building is (Article 10, second paragraph)."""

    RESIDENTIAL = "residential", "住宅建筑", "residential building", "第十条"
    WORK_SHED = "work_shed", "工地工棚", "construction-site work shed", "第十条"
    OTHER_HABITABLE = "other_habitable", "可以居住的其他建筑", "other habitable structure", "第十条"


class BuildingStatus(Term):
    """Where a building is in its life."""

    ACTIVE = "active", "在用", "active"
    DEMOLISHED = "demolished", "已拆除", "demolished"
    REPLACED = "replaced", "已拆分或合并", "replaced by split, merge or rebuilding"
    RETIRED = "retired", "登记注销", "retired: never was a residential building"


class DwellingStatus(Term):
    """Whether a dwelling physically exists; never derived from who lives there."""

    EXISTS = "exists", "存在", "exists"
    MERGED = "merged", "已合并", "merged into another dwelling"
    REMOVED = "removed", "已拆除", "removed"


class PremisesKind(Term):
    """What encloses buildings."""

    COMPOUND = "compound", "院落", "compound"
    ESTATE = "estate", "小区", "housing estate"
    CONSTRUCTION_SITE = "construction_site", "工地", "construction site"


class PremisesVerb(Term):
    """What can happen to premises; one event each."""

    REGISTER = "register", "登记", "register"
    CORRECT = "correct", "更正", "correct: the record was wrong"
    CHANGE = "change", "变更", "change: the world changed"
    RENEW = "renew", "许可延期", "renew: the permit was extended"
    CHECK = "check", "安全检查", "check: the site's safety was checked", "第三十四条"
    CLOSE = "close", "关闭", "close: the site is no more"


class Found(Term):
    """What an inspection found of a structure that stands for a time."""

    STILL_THERE = "still_there", "仍在", "still there"
    GONE = "gone", "已拆走", "gone"
    CHANGED = "changed", "有变化", "changed"


class DueReason(Term):
    """Why a structure or its site is due for inspection. The English face says what is amiss."""

    EXPIRED = "expired", "已到期", "past the day it expires"
    EXPIRING = "expiring", "即将到期", "expires soon"
    BEYOND_PERMIT = "beyond_permit", "超出许可期限", "is to stand longer than its site's permit allows"
    SITE_CLOSED = "site_closed", "工地已关闭", "stands on a site that was closed"
    FOUND_CHANGED = "found_changed", "检查发现有变化", "was found changed, and the register does not say so yet"
    PERMIT_ENDED = "permit_ended", "许可已到期", "the permit has ended"
    PERMIT_ENDING = "permit_ending", "许可即将到期", "the permit ends soon"
    CHECK_MISSING = "check_missing", "无安全检查记录", "no safety check is on record", "第三十四条"
    CHECK_OLD = "check_old", "安全检查逾期", "the last safety check is over a year old", "第三十四条"
    OVER_CAPACITY = "over_capacity", "房间数超出核定人数", "has more rooms than people it may house", "第三十四条"


class DivisionLevel(Term):
    """Levels of the administrative divisions (GB/T 2260 and the statistical codes below it)."""

    PROVINCE = "province", "省级", "province", "GB/T 2260"
    PREFECTURE = "prefecture", "地级", "prefecture", "GB/T 2260"
    COUNTY = "county", "县级", "county", "GB/T 2260"
    TOWNSHIP = "township", "乡级", "township", "GB/T 10114"
    VILLAGE = "village", "村级", "village", "统计用区划代码"


class Category(Term):
    """Category of a resident; derived by Article 3, never typed in."""

    PERMANENT = "permanent", "常住(户籍)", "permanent", "第三条"
    FLOATING = "floating", "流动", "floating", "第三条"
    OTHER = "other", "其他", "other", "第十条"
    UNDETERMINED = "undetermined", "未定", "undetermined", "第三条"


class CategoryReason(Term):
    """Why a resident has the category they have (Article 3): stored beside it, so that it can be explained."""

    SAME_COUNTY = "same_county", "户籍地与居住地同县(市、区)", "registered in the county of residence", "第三条"
    URBAN_DISTRICTS_OF_ONE_CITY = "urban_districts_of_one_city", "本市市辖区之间", "districts of one city", "第三条"
    OTHER_COUNTY = "other_county", "本自治区户籍跨县(市、区)居住", "registered in another county of Ningxia", "第三条"
    OUTSIDE_NINGXIA = "outside_ningxia", "非本自治区户籍", "registered outside Ningxia", "第三条"
    HUKOU_UNKNOWN = "hukou_unknown", "户籍地不明", "place of household registration unknown", "第三条"
    CITY_LEVEL_CODE = "city_level_code", "户籍地只到市级", "the code names a city, not a county", "GB/T 2260"
    RETIRED_CODE_AMBIGUOUS = "retired_code_ambiguous", "旧代码对应多地", "a retired code, several answers", "GB/T 2260"
    HMT = "hmt", "港澳台居民", "Hong Kong, Macau or Taiwan resident", "第十条"
    FOREIGN = "foreign", "外国人", "foreigner", "第十条"


class CitizenshipClass(Term):
    """What Article 3 needs to know of nationality, and no more."""

    MAINLAND = "mainland", "内地居民", "mainland"
    HMT = "hmt", "港澳台居民", "Hong Kong, Macau or Taiwan"
    FOREIGN = "foreign", "外国人", "foreign"


class DocumentType(Term):
    """Identity documents a declaration may be made with (Article 7)."""

    ID = "ID", "居民身份证", "resident identity card", "GB 11643"
    HMT = "HMT", "港澳台居民居住证", "residence permit for HMT residents", "GB 11643"
    PASSPORT = "PASSPORT", "护照", "passport", "ICAO 9303"
    FPR = "FPR", "外国人永久居留身份证", "foreign permanent resident card", "2023版"


class Sex(Term):
    """Sex as the document states it (GB/T 2261.1)."""

    MALE = "male", "男", "male", "GB/T 2261.1"
    FEMALE = "female", "女", "female", "GB/T 2261.1"
    UNKNOWN = "unknown", "未说明", "not stated", "GB/T 2261.1"


class Basis(Term):
    """On what a residency was registered."""

    DECLARATION = "declaration", "本人申报", "declaration", "第七条"
    HOUSEHOLD_REGISTER = "household_register", "户籍登记", "household register", "第十条"


class Purpose(Term):
    """Why a person's record may be opened; stored with every access and shown to the resident."""

    DECLARATION = "declaration", "受理申报", "taking a declaration", "第七条"
    CORRECTION = "correction", "更正", "correction"
    MOVE = "move", "迁移登记", "move"
    ROSTER_REVIEW = "roster_review", "名册审核", "roster review", "第十条"
    RESIDENT_REQUEST = "resident_request", "居民请求", "request of the resident"
    EMERGENCY = "emergency", "紧急救助", "emergency help", "第十八条"
    COURT_ORDER = "court_order", "法院命令", "court order"


class Role(Term):
    """What an account may do, in its divisions, for a time."""

    REGISTRAR = "registrar", "登记员", "registrar"
    PLANNER = "planner", "规划员", "planner"
    FIELD_OFFICER = "field_officer", "外勤", "field officer"
    AUDITOR = "auditor", "审计员", "auditor"
    ACCOUNT_ADMINISTRATOR = "account_administrator", "账户管理员", "administrator of accounts"


class AccountAct(Term):
    """What can happen to an account; one event each."""

    ADDED = "added", "新建", "made"
    GRANTED = "granted", "授权", "given a role"
    GRANT_CHANGED = "grant_changed", "授权变更", "given a role until another day"
    DISABLED = "disabled", "停用", "closed"
    ENABLED = "enabled", "启用", "opened again"
    LINK_MADE = "link_made", "生成一次性链接", "given a one-time link"
    LINK_USED = "link_used", "使用一次性链接", "entered by a one-time link"
    SIGNED_IN = "signed_in", "登录", "signed in"
    SIGNED_OUT = "signed_out", "退出", "signed out"
    SESSIONS_ENDED = "sessions_ended", "会话终止", "had sessions ended"
    PASSWORD_SET = "password_set", "设置密码", "given a password"
    FACTOR_CONFIRMED = "factor_confirmed", "启用第二因素", "given a second factor"
    FACTOR_ENDED = "factor_ended", "停用第二因素", "rid of its second factor"
    RECOVERY_USED = "recovery_used", "使用恢复码", "entered by a recovery code"
    TOKEN_MINTED = "token_minted", "签发程序令牌", "given a token for a program"
    IDENTITY_LINKED = "identity_linked", "关联外部身份", "linked to a provider's identity"
    IDENTITY_UNLINKED = "identity_unlinked", "取消外部身份", "parted from a provider's identity"


class Verb(Term):
    """What can happen to a building; one event each."""

    REGISTER = "register", "登记", "register", "第十条"
    CORRECT = "correct", "更正", "correct: the record was wrong"
    CHANGE = "change", "变更", "change: the world changed"
    SPLIT = "split", "拆分", "split"
    MERGE = "merge", "合并", "merge"
    DEMOLISH = "demolish", "拆除", "demolish"
    REBUILD = "rebuild", "重建", "rebuild"
    MOVE = "move", "迁移", "move: a shed put up elsewhere"
    RETIRE = "retire", "注销", "retire"
    REINSTATE = "reinstate", "恢复", "reinstate"
    REVERT = "revert", "撤销", "revert"


class ReviewDecision(Term):
    """What a registrar decides about a residency whose building was split, merged or taken down."""

    KEPT = "kept", "维持", "kept as it is"
    MOVED = "moved", "已迁移", "moved to where the resident lives now"
    ENDED = "ended", "已终止", "ended"


class DeclarationKind(Term):
    """What a resident declares, or asks for, at a desk (Article 7; rights.md, 7)."""

    ARRIVAL = "arrival", "居住登记", "I live here", "第七条"
    DEPARTURE = "departure", "终止居住", "I no longer live here", "第七条"
    CORRECTION = "correction", "更正", "what is registered of me is wrong", "个人信息保护法第四十六条"
    ACCESS = "access", "本人查阅", "I want to see what is registered of me", "个人信息保护法第四十五条"


class DeclarationStatus(Term):
    """What a registrar made of a declaration."""

    WAITING = "waiting", "待办", "waits for a registrar"
    MORE_ASKED = "more_asked", "需补充", "more is needed; see what"
    REGISTERED = "registered", "已登记", "registered"
    DECLINED = "declined", "不予登记", "declined; see why, and how to complain", "第三十七条"
    WITHDRAWN = "withdrawn", "已撤回", "withdrawn by the resident"


class MoreNeeded(Term):
    """What a registrar still asks for before a declaration can be registered."""

    DOCUMENT = "document", "出示证件原件", "the document itself"
    DWELLING = "dwelling", "补充户室号", "which dwelling it is"
    DATES = "dates", "补充起止日期", "from when and until when"
    HUKOU = "hukou", "补充户籍地证明", "where the household is registered"


class DeclarationDeclineReason(Term):
    """Why a declaration was declined; every one can be complained about (Article 37)."""

    NOT_THE_PERSON = "not_the_person", "证件与本人不符", "the document is not the declarer's"
    DOCUMENT_INVALID = "document_invalid", "证件无效或过期", "the document is not valid"
    NO_SUCH_DWELLING = "no_such_dwelling", "该户室不存在", "there is no such dwelling"
    NOT_LIVING_THERE = "not_living_there", "本人并不在此居住", "the declarer says they do not live there"
    RECORDED_ALREADY = "recorded_already", "已有相同登记", "the register says so already"
    MORE_NOT_BROUGHT = "more_not_brought", "未按要求补充", "what was asked for was not brought in time"


class FindingKind(Term):
    """What a field officer may find about a structure; nothing about anybody who lives in it."""

    NEW_STRUCTURE = "new_structure", "新建筑物", "a structure that is not registered"
    GONE = "gone", "已不存在", "the structure is gone"
    PLATE_MISSING = "plate_missing", "门牌缺失", "its door plate is missing"
    STILL_THERE = "still_there", "工棚仍在", "a work shed that was due is still there"
    SHAPE_WRONG = "shape_wrong", "形状不符", "its shape or place is another"
    ATTRIBUTE_WRONG = "attribute_wrong", "属性不符", "something else about it is another"


class FindingStatus(Term):
    """What a registrar made of a finding."""

    OPEN = "open", "待核", "waits for a registrar"
    ACCEPTED = "accepted", "采纳", "accepted"
    DECLINED = "declined", "不采纳", "declined"


class DeclineReason(Term):
    """Why a registrar declined a finding."""

    NOT_SO = "not_so", "与实际不符", "looked at again, it is not so"
    RECORDED_ALREADY = "recorded_already", "已登记", "the register says so already"
    NOT_RESIDENTIAL = "not_residential", "非居住类建筑", "the structure is not residential", "第十条"
    REPEATED = "repeated", "重复", "another finding says the same"
    OUTDATED = "outdated", "已过时", "the structure has changed since it was seen"
    UNCLEAR = "unclear", "不明确", "it cannot be decided from here; look again"


class RowDecision(Term):
    """What was decided about a row of a file that waited for a person."""

    SAME = "same", "即该建筑物", "the row is that building"
    ANOTHER = "another", "另一建筑物", "the row is a building of its own"
    CORRECT = "correct", "更正", "the record of the building was wrong; the row is right"
    CHANGE = "change", "变更", "the building has changed; the row says how"
    REFUSE = "refuse", "不予登记", "the row is not registered"
    SUPERSEDED = "superseded", "已被取代", "the source has said otherwise since"


class BatchKind(Term):
    """What a batch imported."""

    BUILDINGS = "buildings", "建筑物", "buildings"
    ROSTER = "roster", "名册", "roster"


class Outcome(Term):
    """What became of one row of a file."""

    REGISTERED = "registered", "已登记", "registered"
    UNCHANGED = "unchanged", "无变化", "unchanged"
    QUEUED = "queued", "待核", "queued for a person"
    REFUSED = "refused", "不予登记", "refused"


class Reason(Term):
    """Why a row was queued or refused. The English face says what to do about it."""

    # structures
    NOT_RESIDENTIAL = "not_residential", "非居住类建筑", "the structure is not residential; Article 10 covers dwellings"
    MISSING_GEOMETRY = "missing_geometry", "缺少几何", "no geometry; add coordinates or a shape"
    EMPTY_GEOMETRY = "empty_geometry", "几何为空", "the geometry is empty; draw the shape again"
    INVALID_GEOMETRY = "invalid_geometry", "几何无效", "the shape is invalid; repair it in a GIS and import again"
    UNSUPPORTED_GEOMETRY = "unsupported_geometry", "几何类型不支持", "a building is a point or a polygon"
    BAD_COORDINATES = "bad_coordinates", "坐标无效", "coordinates are not finite or not longitude and latitude"
    SWAPPED_COORDINATES = "swapped_coordinates", "经纬度颠倒", "longitude and latitude look swapped"
    WRONG_HEMISPHERE = "wrong_hemisphere", "半球错误", "the sign of a coordinate is wrong for Ningxia"
    OUTSIDE_DIVISIONS = "outside_divisions", "不在任何行政区划内", "outside every known division; give --division"
    REPEATED_SOURCE_ID = "repeated_source_id", "来源编码重复", "this source_id stands in the file more than once"
    DUPLICATE_BUILDING = "duplicate_building", "与已登记建筑物重复", "this structure is registered already"
    DOUBTFUL_DUPLICATE = "doubtful_duplicate", "疑似重复", "overlaps a registered building; a person decides"
    ADDRESS_TAKEN = "address_taken", "地址已被占用", "another active building has this standard address"
    CHANGED_SINCE_REGISTERED = (
        "changed_since_registered",
        "与已登记内容不同",
        ("the source's row differs from what was registered; a person decides whether to correct or change"),
    )
    DECLINED = "declined", "经核定不予登记", "a registrar decided against this very row"
    SHED_WITHOUT_PREMISES = "shed_without_premises", "工棚缺少工地", "a work shed needs a premises"
    SHED_WITHOUT_EXPIRY = "shed_without_expiry", "工棚缺少到期日", "a work shed needs an expiry date (valid_to)"
    UNREADABLE_ATTRIBUTE = "unreadable_attribute", "属性无法读取", "an attribute cannot be read; see detail"
    UNREADABLE_ROW = "unreadable_row", "记录无法读取", "the row cannot be read; see detail"
    # rosters
    ADDRESS_NOT_FOUND = "address_not_found", "未找到地址", "no registered building has this address"
    ADDRESS_AMBIGUOUS = "address_ambiguous", "地址不唯一", "several buildings fit this address"
    DWELLING_NOT_FOUND = "dwelling_not_found", "未找到户室", "the building has no such dwelling"
    DWELLING_MISSING = "dwelling_missing", "缺少户室号", "the building has several dwellings; the row names none"
    BUILDING_NOT_ACTIVE = "building_not_active", "建筑物已停用", "the building is no longer active"
    BAD_DOCUMENT = "bad_document", "证件号码无效", "the document number fails its check"
    OLD_DOCUMENT = "old_document", "15位旧证", "a 15-digit card; ask for the current document"
    MISSING_IDENTITY = "missing_identity", "缺少身份信息", "name or document is missing"
    BAD_DATE = "bad_date", "日期无效", "a date cannot be read; write YYYY-MM-DD"
    OUTSIDE_JURISDICTION = "outside_jurisdiction", "不在辖区内", "the building stands outside the importer's divisions"
    OVERLAPPING_RESIDENCY = "overlapping_residency", "居住登记重叠", "the person has a residency in this period"
    REPEATED_OCCUPANT = "repeated_occupant", "人员重复", "this occupant stands in the file more than once"


class MatchOutcome(Term):
    """What became of an address that was matched against the register."""

    LINKED = "linked", "已匹配", "linked to one building"
    REVIEW = "review", "待核", "a person decides"
    UNMATCHED = "unmatched", "未匹配", "the register has no such building"


class MatchGrade(Term):
    """How sure a link is; nothing that is less sure is linked."""

    ELEMENTS = "elements", "要素一致", "everything stated agrees"
    FORMER = "former", "曾用名一致", "agrees through a former name"
    TYPO = "typo", "个别字误", "agrees but for a slip in a name"
    LOCATED = "located", "坐标区分", "several agree; the coordinate tells which"


class MatchReason(Term):
    """Why an address was not linked. The English face says what a person should look at."""

    SEVERAL_BUILDINGS = "several_buildings", "多处相符", "several buildings agree; ask which division or street"
    COUNTY_NOT_STATED = (
        "county_not_stated",
        "未写明县区",
        "no county is stated, and this register does not hold every county it could be",
    )
    NAME_UNCERTAIN = "name_uncertain", "名称存疑", "a name is misspelt, and more than one is as near"
    DIVISION_CONTRADICTS = "division_contradicts", "区划不符", "the rest agrees, but in another division"
    BUILDING_NUMBER_MISSING = "building_number_missing", "缺少楼号", "a compound without the number of a building"
    GROUP_MISSING = "group_missing", "缺少组号", "a village house without its group"
    BUILDING_NOT_ACTIVE = "building_not_active", "建筑物已停用", "the building was demolished or replaced"
    ROOM_NOT_POSSIBLE = "room_not_possible", "户室不可能", "the building has no such entrance, floor or room"
    PLACE_BESIDE = "place_beside", "指旁边位置", "a place beside the one named is meant, or several are"
    COORDINATES_CONTRADICT = "coordinates_contradict", "坐标不符", "the coordinate is far from the building"
    NUMBER_NOT_FOUND = "number_not_found", "无此编号", "the street or compound is known, the number is not"
    NAME_NOT_FOUND = "name_not_found", "无此名称", "no street, compound or village of this name"
    ADDRESS_MISSING = "address_missing", "缺少地址", "the row gives no address"
    REPEATED_OCCUPANT = "repeated_occupant", "人员重复", "this occupant stands in the file more than once"
    UNREADABLE_ROW = "unreadable_row", "记录无法读取", "the row has a wrong number of fields"


class RoadClass(Term):
    """What a road is, in the words of OpenStreetMap's key highway, which most road files speak."""

    MOTORWAY = "motorway", "高速公路", "motorway", "JTG B01"
    MOTORWAY_LINK = "motorway_link", "高速公路匝道", "slip road of a motorway"
    TRUNK = "trunk", "快速路、国道", "trunk road", "CJJ 37"
    TRUNK_LINK = "trunk_link", "快速路匝道", "slip road of a trunk road"
    PRIMARY = "primary", "主干路", "primary road", "CJJ 37"
    PRIMARY_LINK = "primary_link", "主干路匝道", "slip road of a primary road"
    SECONDARY = "secondary", "次干路", "secondary road", "CJJ 37"
    SECONDARY_LINK = "secondary_link", "次干路匝道", "slip road of a secondary road"
    TERTIARY = "tertiary", "支路", "tertiary road", "CJJ 37"
    TERTIARY_LINK = "tertiary_link", "支路匝道", "slip road of a tertiary road"
    UNCLASSIFIED = "unclassified", "乡村道路", "minor road"
    RESIDENTIAL = "residential", "居住区道路", "residential street"
    LIVING_STREET = "living_street", "生活街道", "living street"
    SERVICE = "service", "内部道路", "service road"
    ROAD = "road", "等级不明的道路", "road of unknown class"
    TRACK = "track", "机耕道", "track"
    PEDESTRIAN = "pedestrian", "步行街", "pedestrian street"
    FOOTWAY = "footway", "人行道", "footway"
    STEPS = "steps", "台阶", "steps"
    PATH = "path", "小径", "path"
    CYCLEWAY = "cycleway", "自行车道", "cycleway"
    BRIDLEWAY = "bridleway", "马道", "bridleway"


class RoadReason(Term):
    """Why a row of a road file was left out."""

    UNREADABLE_ROW = "unreadable_row", "记录无法读取", "cannot be read"
    NO_ROAD = "no_road", "不是可通行的道路", "no road that stands"
    CLOSED = "closed", "不许通行", "closed to cars and walkers alike"
    MISSING_GEOMETRY = "missing_geometry", "缺少几何", "without a geometry"
    NO_LINE = "no_line", "不是线", "not a line"
    BAD_COORDINATES = "bad_coordinates", "坐标无效", "coordinates that are no longitude and latitude"
    NO_LENGTH = "no_length", "长度为零", "of no length"
    REPEATED = "repeated", "重复", "repeated in the file"
    OFF_THE_ROADS = "off_the_roads", "不在道路上", "barriers on no road of the file"
    NO_BARRIER = "no_barrier", "不拦行人车辆", "barriers that stop nobody"


class PlanStatus(Term):
    """How far a plan is."""

    ASKED = "asked", "排队", "waits for its turn"
    RUNNING = "running", "计算中", "being made"
    CALLING_OFF = "calling_off", "正在取消", "being called off"
    CALLED_OFF = "called_off", "已取消", "called off"
    MADE = "made", "已完成", "made"
    REFUSED = "refused", "无方案", "there is no plan; see why"


class Datum(Term):
    """Horizontal datum of incoming coordinates."""

    WGS84 = "wgs84", "WGS 84", "WGS 84"
    CGCS2000 = "cgcs2000", "2000国家大地坐标系", "CGCS2000", "GB/T 18522"
    GCJ02 = "gcj02", "GCJ-02", "GCJ-02 (obfuscated)"
    BD09 = "bd09", "BD-09", "BD-09 (obfuscated)"
