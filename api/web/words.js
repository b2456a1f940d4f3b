/* The words of gis/terms.py that the page shows: [中文, English]. A test keeps the two in step. */

export const KINDS = {
  residential: ["住宅建筑", "residential building"],
  work_shed: ["工地工棚", "construction-site work shed"],
  other_habitable: ["可以居住的其他建筑", "other habitable structure"],
};

export const STATUSES = {
  active: ["在用", "active"],
  demolished: ["已拆除", "demolished"],
  replaced: ["已拆分或合并", "replaced by split, merge or rebuilding"],
  retired: ["登记注销", "retired: never was a residential building"],
};

export const CATEGORIES = {
  all: ["全部", "all"],
  permanent: ["常住(户籍)", "permanent"],
  floating: ["流动", "floating"],
  other: ["其他", "other"],
  undetermined: ["未定", "undetermined"],
};

export const LEVELS = {
  province: ["省级", "province"],
  prefecture: ["地级", "prefecture"],
  county: ["县级", "county"],
  township: ["乡级", "township"],
  village: ["村级", "village"],
};

export const ROLES = {
  registrar: ["登记员", "registrar"],
  planner: ["规划员", "planner"],
  field_officer: ["外勤", "field officer"],
  auditor: ["审计员", "auditor"],
  account_administrator: ["账户管理员", "administrator of accounts"],
};

export const ROW_DECISIONS = {
  same: ["即该建筑物", "the row is that building"],
  another: ["另一建筑物", "the row is a building of its own"],
  correct: ["更正", "the record of the building was wrong; the row is right"],
  change: ["变更", "the building has changed; the row says how"],
  refuse: ["不予登记", "the row is not registered"],
  superseded: ["已被取代", "the source has said otherwise since"],
};

export const REVIEW_REASONS = {
  doubtful_duplicate: ["疑似重复", "overlaps a registered building; a person decides"],
  address_taken: ["地址已被占用", "another active building has this standard address"],
  changed_since_registered: ["与已登记内容不同", "the source's row differs from what was registered; a person decides whether to correct or change"],
};

export const MATCH_REASONS = {
  several_buildings: ["多处相符", "several buildings agree; ask which division or street"],
  county_not_stated: ["未写明县区", "no county is stated, and this register does not hold every county it could be"],
  name_uncertain: ["名称存疑", "a name is misspelt, and more than one is as near"],
  division_contradicts: ["区划不符", "the rest agrees, but in another division"],
  building_number_missing: ["缺少楼号", "a compound without the number of a building"],
  group_missing: ["缺少组号", "a village house without its group"],
  building_not_active: ["建筑物已停用", "the building was demolished or replaced"],
  room_not_possible: ["户室不可能", "the building has no such entrance, floor or room"],
  place_beside: ["指旁边位置", "a place beside the one named is meant, or several are"],
  coordinates_contradict: ["坐标不符", "the coordinate is far from the building"],
  number_not_found: ["无此编号", "the street or compound is known, the number is not"],
  name_not_found: ["无此名称", "no street, compound or village of this name"],
  address_missing: ["缺少地址", "the row gives no address"],
  repeated_occupant: ["人员重复", "this occupant stands in the file more than once"],
  unreadable_row: ["记录无法读取", "the row has a wrong number of fields"],
};

/** What of an address agrees or not. */
export const ELEMENTS = {
  place: "街巷",
  group: "组",
  number: "门牌号",
  compound: "院落小区",
  zone: "区期",
  building: "楼号",
};

export const WITHHELD = ["不公布", "withheld"];

/** An element with text, and further elements or texts inside it. Text never becomes markup. */
export function element(tag, properties = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...inside);
  return made;
}

/** Chinese first, English beside it. */
export function both([zh, en]) {
  return [zh, " ", element("i", { lang: "en" }, en)];
}

export function bothAsText(pair) {
  return pair.join(" ");
}

/** The word for a value, or the value itself where the page does not know it yet. */
export function wordFor(words, value) {
  return words[value] ?? [String(value ?? "—"), ""];
}

/** A building number as people read it: CNNN NNNN NNKK. */
export function shownNumber(number) {
  return String(number).replace(/(\d{4})(\d{4})(\d{4})/, "$1 $2 $3");
}

/** The twelve digits typed, or null where the check digits (MOD 97-10) do not fit. */
export function checkedNumber(typed) {
  const digits = typed.normalize("NFKC").replace(/[\s-]/g, "");
  return /^\d{12}$/.test(digits) && Number(digits) % 97 === 1 ? digits : null;
}

export function count(value) {
  return Number(value).toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
}
