//! Jobs, where they are done and what they consist of.

use super::{Noun, Pair, n, p};

/// One job; `task` is a third-person verb phrase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(crate) noun: Noun,
    pub(crate) workplace: Pair,
    pub(crate) task: Pair,
}

const fn j(
    noun: Noun,
    we: &'static str,
    wz: &'static str,
    te: &'static str,
    tz: &'static str,
) -> Job {
    Job { noun, workplace: p(we, wz), task: p(te, tz) }
}

pub(crate) static JOBS: [Job; 32] = [
    j(n("baker", "bakers", "面包师", "位"), "in a bakery", "面包店", "makes bread", "烤面包"),
    j(
        n("nurse", "nurses", "护士", "位"),
        "in a hospital",
        "医院",
        "looks after sick people",
        "照顾病人",
    ),
    j(n("doctor", "doctors", "医生", "位"), "in a clinic", "诊所", "treats illnesses", "给人看病"),
    j(n("teacher", "teachers", "老师", "位"), "in a school", "学校", "gives lessons", "给学生上课"),
    j(n("farmer", "farmers", "农民", "位"), "on a farm", "田里", "grows crops", "种庄稼"),
    j(n("fisherman", "fishermen", "渔民", "位"), "on a boat", "渔船上", "catches fish", "打鱼"),
    j(n("pilot", "pilots", "飞行员", "位"), "in the sky", "天上", "flies planes", "开飞机"),
    j(n("sailor", "sailors", "水手", "位"), "at sea", "海上", "sails ships", "驾船航海"),
    j(n("cook", "cooks", "厨师", "位"), "in a kitchen", "厨房", "prepares meals", "做饭做菜"),
    j(
        n("waiter", "waiters", "服务员", "位"),
        "in a restaurant",
        "饭馆",
        "serves guests",
        "招待客人",
    ),
    j(n("painter", "painters", "画家", "位"), "in a studio", "画室", "paints pictures", "画画"),
    j(n("writer", "writers", "作家", "位"), "at a desk", "书桌前", "writes books", "写书"),
    j(n("singer", "singers", "歌手", "位"), "on a stage", "舞台上", "sings songs", "唱歌"),
    j(n("judge", "judges", "法官", "位"), "in a court", "法院", "decides cases", "审理案件"),
    j(
        n("librarian", "librarians", "图书管理员", "位"),
        "in a library",
        "图书馆",
        "lends books",
        "借书给读者",
    ),
    j(
        n("gardener", "gardeners", "园丁", "位"),
        "in a garden",
        "花园",
        "plants flowers",
        "种花修草",
    ),
    j(n("miner", "miners", "矿工", "位"), "in a mine", "矿井", "digs coal", "挖煤"),
    j(
        n("tailor", "tailors", "裁缝", "位"),
        "in a clothes shop",
        "服装店",
        "sews clothes",
        "做衣服",
    ),
    j(n("barber", "barbers", "理发师", "位"), "in a hair salon", "理发店", "cuts hair", "剪头发"),
    j(
        n("carpenter", "carpenters", "木匠", "位"),
        "in a workshop",
        "作坊",
        "builds furniture",
        "打家具",
    ),
    j(
        n("mechanic", "mechanics", "修车工", "位"),
        "in a garage",
        "修理厂",
        "repairs cars",
        "修汽车",
    ),
    j(
        n("postman", "postmen", "邮递员", "位"),
        "in a post office",
        "邮局",
        "delivers letters",
        "送信",
    ),
    j(
        n("bus driver", "bus drivers", "公交司机", "位"),
        "on the road",
        "马路上",
        "drives a bus",
        "开公交车",
    ),
    j(
        n("scientist", "scientists", "科学家", "位"),
        "in a laboratory",
        "实验室",
        "does experiments",
        "做实验",
    ),
    j(
        n("reporter", "reporters", "记者", "位"),
        "in a newsroom",
        "报社",
        "reports the news",
        "采写新闻",
    ),
    j(
        n("dentist", "dentists", "牙医", "位"),
        "in a dental office",
        "牙科诊室",
        "mends teeth",
        "修补牙齿",
    ),
    j(
        n("vet", "vets", "兽医", "位"),
        "in an animal hospital",
        "宠物医院",
        "heals animals",
        "给动物治病",
    ),
    j(
        n("cashier", "cashiers", "收银员", "位"),
        "in a supermarket",
        "超市",
        "takes payments",
        "收钱找零",
    ),
    j(
        n("firefighter", "firefighters", "消防员", "位"),
        "in a fire station",
        "消防站",
        "puts out fires",
        "扑灭大火",
    ),
    j(n("guard", "guards", "保安", "位"), "at a gate", "大门口", "keeps watch", "看守大门"),
    j(
        n("builder", "builders", "建筑工人", "位"),
        "on a building site",
        "工地",
        "builds houses",
        "盖房子",
    ),
    j(n("actor", "actors", "演员", "位"), "in a theatre", "剧院", "plays roles", "扮演角色"),
];
