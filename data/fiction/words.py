"""Words that invented addresses and people are put together from; none names a person, a firm or an estate."""

from typing import Final


def _listed(text: str) -> tuple[str, ...]:
    """Return the words of a text."""
    return tuple(text.split())


STREETS: Final = _listed("""
    民生 光明 新华 解放 建设 友谊 和平 胜利 人民 团结 文化 育才 育英 康平 永安 长宁 平安 安康 兴民 惠民 利民
    富民 裕民 振兴 兴业 创业 前进 东升 朝阳 向阳 迎宾 迎春 春晖 春华 秋实 金秋 丰收 丰登 宁园 宁安 塞上 朔方
    贺兰 六盘 沙湖 清水 湖滨 滨河 河滨 黄河 长河 大河 唐徕 汉延 惠农 枸杞 红柳 白杨 青松 翠柳 槐树 柳树 沙枣
    丁香 玫瑰 月季 石榴 葡萄 桃园 梨园 杏园 枣园 果园 花园 南园 北园 书院 学府 学院 体育 科技 工农 农垦 水利
    电力 纺织 机械 铁东 车站 仓前 市场 集贸 钟楼 鼓楼 城隍 官井 石磨 水塔 草巷 羊市 粮台 驿道 古渡 明月 星光
    云海 凤凰 金波 银川 玉泉 清泉 甘泉 龙泉 双桥 大桥 平桥 新桥 永康 永宁 永丰 永固 万寿 万福 福康 福寿 吉庆
    吉祥 如意 祥和 祥瑞 瑞安 瑞丰 泰康 泰安 宏图 宏业 锦绣 锦华
""")
"""Two-character words; a town's streets take them in an order of its own."""

ESTATES: Final = _listed("""
    华雁 银新 金地 蓝湾 紫云 书香 百合 枫林 清河 湖畔 瑞景 康乐 恒安 富安 丽景 兴源 北苑 南苑 东方 艾草 天润
    星海 星河 绿洲 绿园 翠堤 碧水 秀水 澜岸 水岸 云顶 阳光 春天 四季 馨园 馨和 温馨 祥云 祥泰 龙泉 凤鸣 金盾
    金色 金桥 银座 银桥 玺园 御景 名仕 学苑 翰林 桃李 德馨 仁和 和顺 顺达 通达 永泰 永和 宁馨 塞上 雁鸣 沙柳
    胡杨 芦花 荷塘 莲湖 海棠 丁香 紫薇 茉莉 牡丹 玉兰 玫瑰 榆园 槐香 松柏 怡景 怡和 逸品 福泰 福星 福苑 昌盛
    隆盛 鼎盛 万和 万象 尚品 尚都 长信
""")
ESTATE_TYPES: Final = _listed("""
    小区 花园 家园 花苑 嘉园 佳苑 雅居 公寓 新村 名邸 华庭 新城 雅苑 御府 里 府 园 苑 都 城
""")
BUILDERS: Final = _listed("""
    朔云建工 塞原建设 河套营造 贺岚工程 沙坡建筑 六盘路桥 宁原市政 长渠水利 胡杨安装 银沙建工
""")
PROJECTS: Final = _listed("""
    安置房 棚改 体育馆 妇幼医院 第二中学 物流园 污水处理厂 供热站 客运站 文化馆 保障房 综合管廊 农贸市场
    快速路
""")
CAMPS: Final = _listed("项目部生活区 项目部临时宿舍区 项目部生活营地 项目部工人宿舍区")
FARMS: Final = _listed("养殖场 枸杞园 果园 林场 砂场 扬水站 苗圃 葡萄园")
GROUPS: Final = tuple("组队社")
"""What a village calls the groups that its hamlets are."""

SURNAMES: Final = _listed("""
    马 王 李 张 杨 刘 陈 田 丁 白 周 何 吴 赵 罗 苏 海 金 高 黄 孙 徐 郭 朱 胡 林 郑 梁 谢 宋 唐 许 韩 冯 邓
    曹 彭 曾 萧 蔡 潘 袁 董 余 叶 杜 程 魏 吕 任 卢 姚 沈 姜 崔 钟 谭 陆 汪 范 石 廖 贾 韦 方 邹 熊 孟 秦 江
    尹 薛 段 雷 侯 龙 史 陶 贺 顾 毛 郝 龚 邵 万 钱 严 武 戴 莫 孔 向 汤 哈 纳 虎 拜 摆 穆 沙 撒 党 牛 安 兰
    柳 强 赫 者
""")
"""Commonest first; drawn with weights that fall with the place in this list."""
MALE: Final = _listed("""
    伟 强 军 勇 杰 涛 明 超 刚 平 辉 鹏 华 飞 鑫 波 斌 宇 浩 凯 建 国 志 文 学 海 林 龙 东 成 永 光 德 福 生
    贵 荣 兴 旺 宏 春 瑞 宝 玉 金 占 振 正 少 晓 小 世 仁 义 忠 孝 有 万 千 天 山 川 河 江 舟 野 岩 松 柏 川
    泽 晨 阳 旭 昊 然
""")
FEMALE: Final = _listed("""
    芳 娜 敏 静 丽 娟 艳 霞 秀 玲 燕 红 梅 兰 英 华 萍 莉 婷 雪 慧 琴 云 凤 洁 玉 香 月 桂 珍 春 花 秋 巧 晓
    小 亚 思 佳 雨 欣 怡 梦 琪 瑶 蕊 菊 莲 荷 彩 银 金 文 淑 惠 翠 青 叶 楠 颖 蓉 倩 媛 妍 露 岚 宁 安 然 妮
    娥 环 爱 会 改
""")
FOREIGN_GIVEN: Final = _listed("""
    ADIL AMINA BORIS CLARA DANA ELIAS FARAH IVAN JOON KARIM LENA MARIO NADIA OSMAN SAMIR YUKI
""")
FOREIGN_FAMILY: Final = _listed("""
    ABELMAN BORGATI CASTELL DURRANO ELSHAM FERGANOV HASANLI KIMURA LARSEN MIRZAN NOVAKY PARKOO
""")
NATIONALITIES: Final = _listed("PAK KAZ KGZ MYS KOR JPN EGY JOR RUS USA DEU FRA NGA IND")

ELSEWHERE: Final = (
    620802, 620825, 620826, 621002, 621022, 620502, 620422, 610825, 610824, 610113, 152921, 150623, 411525, 411381,
    411627, 341225, 341221, 511324, 370102, 330381, 350181, 142601, 130406, 630102,
)  # fmt: skip
"""County codes of other provinces that floating residents are registered in (GB/T 2260); Gansu and Shaanxi first."""
