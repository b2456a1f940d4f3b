/* The words of gis/terms.py that the desks show: [中文, English]. A test keeps them in step. */

export const DECLARATION_KINDS = {
  arrival: ["居住登记", "I live here"],
  departure: ["终止居住", "I no longer live here"],
  correction: ["更正", "what is registered of me is wrong"],
  access: ["本人查阅", "I want to see what is registered of me"],
};

export const DECLARATION_STATUSES = {
  waiting: ["待办", "waits for a registrar"],
  more_asked: ["需补充", "more is needed; see what"],
  registered: ["已登记", "registered"],
  declined: ["不予登记", "declined; see why, and how to complain"],
  withdrawn: ["已撤回", "withdrawn by the resident"],
};

export const MORE_NEEDED = {
  document: ["出示证件原件", "the document itself"],
  dwelling: ["补充户室号", "which dwelling it is"],
  dates: ["补充起止日期", "from when and until when"],
  hukou: ["补充户籍地证明", "where the household is registered"],
};

export const DECLINE_REASONS = {
  not_the_person: ["证件与本人不符", "the document is not the declarer's"],
  document_invalid: ["证件无效或过期", "the document is not valid"],
  no_such_dwelling: ["该户室不存在", "there is no such dwelling"],
  not_living_there: ["本人并不在此居住", "the declarer says they do not live there"],
  recorded_already: ["已有相同登记", "the register says so already"],
  more_not_brought: ["未按要求补充", "what was asked for was not brought in time"],
};

export const DOCUMENT_TYPES = {
  ID: ["居民身份证", "resident identity card"],
  HMT: ["港澳台居民居住证", "residence permit for HMT residents"],
  PASSPORT: ["护照", "passport"],
  FPR: ["外国人永久居留身份证", "foreign permanent resident card"],
};

export const SEXES = {
  male: ["男", "male"],
  female: ["女", "female"],
  unknown: ["未说明", "not stated"],
};

export const CATEGORY_REASONS = {
  same_county: ["户籍地与居住地同县(市、区)", "registered in the county of residence"],
  urban_districts_of_one_city: ["本市市辖区之间", "districts of one city"],
  other_county: ["本自治区户籍跨县(市、区)居住", "registered in another county of Ningxia"],
  outside_ningxia: ["非本自治区户籍", "registered outside Ningxia"],
  hukou_unknown: ["户籍地不明", "place of household registration unknown"],
  city_level_code: ["户籍地只到市级", "the code names a city, not a county"],
  retired_code_ambiguous: ["旧代码对应多地", "a retired code, several answers"],
  hmt: ["港澳台居民", "Hong Kong, Macau or Taiwan resident"],
  foreign: ["外国人", "foreigner"],
};

/** What an access record may say was done, and which fields were shown. */
export const ACTS = {
  declare: ["受理申报", "took the declaration"],
  "open declaration": ["打开申报", "opened the declaration"],
  "register arrival": ["登记入住", "registered the arrival"],
  "register departure": ["登记终止", "registered the departure"],
  "register correction": ["登记更正", "registered the correction"],
  "register access": ["确认本人", "confirmed whose record it is"],
  import: ["名册导入", "imported the official roster"],
  open: ["打开记录", "opened the record"],
  "own record": ["本人查阅", "you looked at it yourself"],
  "end own": ["本人终止居住", "you ended the residency yourself"],
  "ask correction": ["本人申请更正", "you asked for a correction"],
};

export const FIELDS = {
  name: ["姓名", "name"],
  doc_type: ["证件种类", "kind of document"],
  id_number: ["证件号码", "document number"],
  birth_date: ["出生日期", "birth date"],
  sex: ["性别", "sex"],
  nationality: ["国籍", "nationality"],
  hukou_code: ["户籍地", "place of household registration"],
  hukou_as_of: ["户籍地日期", "as of"],
  dwelling: ["住所", "dwelling"],
  address: ["地址", "address"],
  during: ["起止日期", "dates"],
  from_date: ["起始日期", "first day"],
  until_date: ["终止日期", "last day"],
  basis: ["登记依据", "basis"],
  occupant_id: ["名册编号", "roster code"],
  accesses: ["查阅记录", "access records"],
};

export const BASES = {
  declaration: ["本人申报", "declaration"],
  household_register: ["户籍登记", "household register"],
};
