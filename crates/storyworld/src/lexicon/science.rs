//! Easy science: what things are like, what happens to them, and general facts.

use super::{Noun, Pair, n, p};

/// Properties; the English reads after "which of these", the Chinese after 下面哪一种东西.
pub(crate) static PROPERTIES: [Pair; 10] = [
    p("floats on water", "能浮在水上"),
    p("sinks in water", "会沉到水底"),
    p("melts in the sun", "在太阳下会融化"),
    p("is pulled by a magnet", "能被磁铁吸住"),
    p("breaks when it falls", "掉在地上会碎"),
    p("burns easily", "容易燃烧"),
    p("lets light through", "能透过光线"),
    p("soaks up water", "能吸水"),
    p("can be stretched", "能拉长"),
    p("dissolves in water", "会溶解在水里"),
];

/// Things with the properties (indices into [`PROPERTIES`]) they have.
pub(crate) static THINGS: [(Noun, &[usize]); 36] = [
    (n("cork", "corks", "软木塞", "个"), &[0, 5]),
    (n("dry log", "dry logs", "干木头", "根"), &[0, 5]),
    (n("feather", "feathers", "羽毛", "根"), &[0, 5]),
    (n("leaf", "leaves", "落叶", "片"), &[0, 5]),
    (n("plastic duck", "plastic ducks", "塑料鸭", "只"), &[0]),
    (n("foam board", "foam boards", "泡沫板", "块"), &[0]),
    (n("stone", "stones", "石头", "块"), &[1]),
    (n("brick", "bricks", "砖头", "块"), &[1]),
    (n("silver coin", "silver coins", "银币", "枚"), &[1]),
    (n("lead ball", "lead balls", "铅球", "个"), &[1]),
    (n("iron nail", "iron nails", "铁钉", "颗"), &[1, 3]),
    (n("steel spoon", "steel spoons", "钢勺", "把"), &[1, 3]),
    (n("paper clip", "paper clips", "回形针", "枚"), &[1, 3]),
    (n("steel pin", "steel pins", "大头针", "枚"), &[1, 3]),
    (n("iron key", "iron keys", "铁钥匙", "把"), &[1, 3]),
    (n("ice cube", "ice cubes", "冰块", "块"), &[0, 2, 6]),
    (n("snowball", "snowballs", "雪球", "个"), &[0, 2]),
    (n("lump of butter", "lumps of butter", "黄油", "块"), &[2]),
    (n("wax crayon", "wax crayons", "蜡笔", "支"), &[2]),
    (n("icicle", "icicles", "冰柱", "根"), &[0, 2, 6]),
    (n("frozen yogurt", "frozen yogurts", "冻酸奶", "杯"), &[2]),
    (n("glass bottle", "glass bottles", "玻璃瓶", "个"), &[4, 6]),
    (n("window pane", "window panes", "窗玻璃", "块"), &[1, 4, 6]),
    (n("china plate", "china plates", "瓷盘", "个"), &[1, 4]),
    (n("raw egg", "raw eggs", "生鸡蛋", "个"), &[1, 4]),
    (n("clay pot", "clay pots", "陶罐", "个"), &[1, 4]),
    (n("crystal cup", "crystal cups", "水晶杯", "个"), &[1, 4, 6]),
    (n("sheet of newspaper", "sheets of newspaper", "旧报纸", "张"), &[5, 7]),
    (n("cotton towel", "cotton towels", "棉毛巾", "条"), &[5, 7]),
    (n("sponge", "sponges", "海绵", "块"), &[0, 7]),
    (n("paper napkin", "paper napkins", "纸巾", "张"), &[5, 7]),
    (n("rubber band", "rubber bands", "橡皮筋", "根"), &[8]),
    (n("steel spring", "steel springs", "弹簧", "根"), &[3, 8]),
    (n("balloon", "balloons", "气球", "个"), &[0, 8]),
    (n("sugar lump", "sugar lumps", "方糖", "块"), &[9]),
    (n("pinch of salt", "pinches of salt", "盐粒", "撮"), &[9]),
];

/// What happens to a thing when something is done to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Treatment {
    pub(crate) thing: Pair,
    pub(crate) action: Pair,
    pub(crate) result: Pair,
}

const fn t(
    te: &'static str,
    ae: &'static str,
    r: Pair,
    tz: &'static str,
    az: &'static str,
) -> Treatment {
    Treatment { thing: p(te, tz), action: p(ae, az), result: r }
}

const MELTS: Pair = p("melts", "融化");
const FREEZES: Pair = p("freezes", "结冰");
const BURNS: Pair = p("burns", "燃烧");
const RUSTS: Pair = p("rusts", "生锈");
const BREAKS: Pair = p("breaks", "碎掉");
const DRIES: Pair = p("dries", "变干");
const GROWS: Pair = p("grows", "生长");
const BOILS: Pair = p("boils", "沸腾");
const ROTS: Pair = p("rots", "腐烂");
const BENDS: Pair = p("bends", "弯曲");

pub(crate) static TREATMENTS: [Treatment; 48] = [
    t("ice", "it is left in the sun", MELTS, "冰", "放在太阳下"),
    t("butter", "it is heated in a pan", MELTS, "黄油", "在锅里加热"),
    t("candle wax", "it gets hot", MELTS, "蜡", "受热"),
    t("snow", "spring comes", MELTS, "雪", "到了春天"),
    t("ice cream", "it stays on a warm plate", MELTS, "冰淇淋", "放在热盘子上"),
    t("water", "it is put in the freezer", FREEZES, "水", "放进冷冻室"),
    t("juice", "it is left out in the frost", FREEZES, "果汁", "放在严寒的屋外"),
    t("a puddle", "the night is very cold", FREEZES, "水坑", "遇到寒冷的夜晚"),
    t("a lake", "a hard winter comes", FREEZES, "湖面", "到了严冬"),
    t("wet sand", "it stands in deep frost", FREEZES, "湿沙", "遇上霜冻"),
    t("paper", "it is held over a flame", BURNS, "纸", "放到火上"),
    t("dry wood", "it is thrown into the fire", BURNS, "干柴", "扔进火里"),
    t("coal", "it is lit in the stove", BURNS, "煤", "在炉子里点着"),
    t("straw", "a spark falls on it", BURNS, "稻草", "碰到火星"),
    t("petrol", "a match is dropped in it", BURNS, "汽油", "遇到火柴"),
    t("an iron nail", "it lies in the rain", RUSTS, "铁钉", "淋了雨"),
    t("a steel chain", "it hangs in sea air", RUSTS, "钢链", "长期吹海风"),
    t("an old knife", "it is kept wet", RUSTS, "旧刀", "总是湿着"),
    t("a tin roof", "it gets wet every winter", RUSTS, "铁皮屋顶", "年年受潮"),
    t("a bicycle chain", "it is never oiled", RUSTS, "车链", "从不上油"),
    t("a glass", "it falls on stone", BREAKS, "玻璃杯", "掉在石头上"),
    t("an egg", "it is dropped", BREAKS, "鸡蛋", "摔在地上"),
    t("a dry stick", "somebody steps on it", BREAKS, "枯枝", "被人踩到"),
    t("a mirror", "a ball hits it", BREAKS, "镜子", "被球砸中"),
    t("a clay cup", "it is hit with a hammer", BREAKS, "陶杯", "被锤子敲"),
    t("wet hair", "warm air blows on it", DRIES, "湿头发", "吹了热风"),
    t("a wet shirt", "it hangs in the wind", DRIES, "湿衬衫", "挂在风里"),
    t("mud", "the sun shines on it", DRIES, "泥巴", "被太阳晒"),
    t("fresh paint", "it is left overnight", DRIES, "新刷的油漆", "放一个晚上"),
    t("cut grass", "it lies in the heat", DRIES, "割下的草", "在高温下摊开"),
    t("a seed", "it is planted and watered", GROWS, "种子", "种下去浇了水"),
    t("a kitten", "it is fed every day", GROWS, "小奶猫", "天天喂食"),
    t("a young tree", "it gets sun and rain", GROWS, "小树苗", "得到阳光和雨水"),
    t("a baby", "it drinks milk", GROWS, "婴儿", "喝奶"),
    t("a bean sprout", "it is kept in warm water", GROWS, "豆芽", "泡在温水里"),
    t("soup", "it stands on a big flame", BOILS, "汤", "用大火烧"),
    t("water in a pot", "it reaches one hundred degrees", BOILS, "锅里的水", "到了一百度"),
    t("milk", "it is heated for a long time", BOILS, "牛奶", "加热很久"),
    t("tea in a kettle", "the stove stays on", BOILS, "壶里的茶", "一直开着火"),
    t("jam", "it is cooked over strong heat", BOILS, "果酱", "用猛火熬"),
    t("an apple", "it is kept for months", ROTS, "苹果", "放了几个月"),
    t("raw meat", "it is left in a warm room", ROTS, "生肉", "放在暖和的屋里"),
    t("a dead leaf", "it lies on wet ground", ROTS, "枯叶", "落在湿地上"),
    t("a wooden post", "it stands in wet soil", ROTS, "木桩", "插在湿土里"),
    t("a thin wire", "it is pressed with a finger", BENDS, "细铁丝", "用手指压"),
    t("a green branch", "snow lies on it", BENDS, "嫩树枝", "被雪压着"),
    t("a plastic ruler", "both ends are pushed", BENDS, "塑料尺", "两头用力推"),
    t("a soft spoon", "a strong man twists it", BENDS, "软勺子", "被大力士扳"),
];

/// General facts: an English question body and its Chinese twin with the answers, in pools of
/// like answers.
pub(crate) static GENERAL: [(Pair, Pair, &str); 44] = [
    (p("the part of the body we see with", "人用来看东西的器官"), p("the eyes", "眼睛"), "body"),
    (p("the part of the body we hear with", "人用来听声音的器官"), p("the ears", "耳朵"), "body"),
    (p("the part of the body we smell with", "人用来闻气味的器官"), p("the nose", "鼻子"), "body"),
    (
        p("the part of the body we taste with", "人用来尝味道的器官"),
        p("the tongue", "舌头"),
        "body",
    ),
    (
        p("the part of the body that pumps blood", "推动血液流动的器官"),
        p("the heart", "心脏"),
        "body",
    ),
    (p("the part of the body we think with", "人用来思考的器官"), p("the brain", "大脑"), "body"),
    (p("the part of the body that takes in air", "人用来呼吸的器官"), p("the lungs", "肺"), "body"),
    (
        p("the part of the body that breaks down food", "消化食物的器官"),
        p("the stomach", "胃"),
        "body",
    ),
    (p("the part of the body we chew with", "人用来嚼东西的器官"), p("the teeth", "牙齿"), "body"),
    (
        p("the part of the body that holds us upright", "支撑人体的部分"),
        p("the bones", "骨头"),
        "body",
    ),
    (
        p("the part of the body that feels touch", "感觉冷热触摸的器官"),
        p("the skin", "皮肤"),
        "body",
    ),
    (p("the part of a plant that drinks water", "植物吸水的部分"), p("the root", "根"), "plant"),
    (
        p("the part of a plant that catches sunlight", "植物吸收阳光的部分"),
        p("the leaf", "叶"),
        "plant",
    ),
    (
        p("the part of a plant that carries water up", "植物往上送水的部分"),
        p("the stem", "茎"),
        "plant",
    ),
    (
        p("the part of a plant that attracts bees", "植物吸引蜜蜂的部分"),
        p("the flower", "花"),
        "plant",
    ),
    (
        p("the part of a plant that a new plant comes from", "长出新植物的部分"),
        p("the seed", "种子"),
        "plant",
    ),
    (
        p("the part of a tree that protects the trunk", "保护树干的部分"),
        p("the bark", "树皮"),
        "plant",
    ),
    (p("the season of falling leaves", "落叶的季节"), p("autumn", "秋天"), "season"),
    (p("the season of snow and ice", "下雪结冰的季节"), p("winter", "冬天"), "season"),
    (p("the season of new flowers", "百花开放的季节"), p("spring", "春天"), "season"),
    (p("the season of the longest days", "白天最长的季节"), p("summer", "夏天"), "season"),
    (
        p("the instrument for temperature", "测量温度的仪器"),
        p("a thermometer", "温度计"),
        "instrument",
    ),
    (p("the instrument for weight", "测量重量的仪器"), p("a scale", "秤"), "instrument"),
    (
        p("the instrument for tiny things", "观察微小东西的仪器"),
        p("a microscope", "显微镜"),
        "instrument",
    ),
    (p("the instrument for finding north", "辨认北方的仪器"), p("a compass", "罗盘"), "instrument"),
    (
        p("the instrument for measuring time in a race", "比赛计时的仪器"),
        p("a stopwatch", "秒表"),
        "instrument",
    ),
    (
        p("the instrument for the strength of wind", "测量风力的仪器"),
        p("a wind gauge", "风速计"),
        "instrument",
    ),
    (
        p("the instrument for a sick person's heartbeat", "听病人心跳的仪器"),
        p("a stethoscope", "听诊器"),
        "instrument",
    ),
    (p("the star that gives us daylight", "给我们白天光亮的天体"), p("the sun", "太阳"), "sky"),
    (p("the body that circles the earth", "绕着地球转的天体"), p("the moon", "月球"), "sky"),
    (p("the planet that we live on", "我们居住的星球"), p("the earth", "地球"), "sky"),
    (p("the planet with bright rings", "有明亮光环的行星"), p("Saturn", "土星"), "sky"),
    (p("the planet called the red planet", "被称为红色行星的星球"), p("Mars", "火星"), "sky"),
    (p("the largest planet", "最大的行星"), p("Jupiter", "木星"), "sky"),
    (p("the planet closest to the sun", "离太阳最近的行星"), p("Mercury", "水星"), "sky"),
    (p("the gas that we need to breathe", "人呼吸需要的气体"), p("oxygen", "氧气"), "matter"),
    (p("the gas that plants take in", "植物吸收的气体"), p("carbon dioxide", "二氧化碳"), "matter"),
    (p("the solid form of water", "水的固体形态"), p("ice", "冰"), "matter"),
    (p("the gas form of water", "水的气体形态"), p("steam", "水蒸气"), "matter"),
    (p("the metal that magnets pull most", "最容易被磁铁吸引的金属"), p("iron", "铁"), "matter"),
    (p("the fuel that comes from old plants", "由远古植物变成的燃料"), p("coal", "煤"), "matter"),
    (p("the material made from sand", "用沙子烧成的材料"), p("glass", "玻璃"), "matter"),
    (p("the material made from trees", "用树木做成的材料"), p("paper", "纸"), "matter"),
    (p("the material that sheep give us", "绵羊提供的材料"), p("wool", "羊毛"), "matter"),
];
