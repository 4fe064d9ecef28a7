//! Everyday objects, their class and what they are for.

use super::{Noun, Pair, n, p};

/// One object; `purpose` is an English gerund phrase and a Chinese verb phrase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    pub(crate) noun: Noun,
    pub(crate) class: Pair,
    pub(crate) purpose: Pair,
}

const TOOL: Pair = p("tool", "工具");
const CLOTHES: Pair = p("piece of clothing", "衣物");
const TOY: Pair = p("toy", "玩具");
const MUSIC: Pair = p("musical instrument", "乐器");
const FURNITURE: Pair = p("piece of furniture", "家具");
const DEVICE: Pair = p("device", "电器");

const fn o(noun: Noun, class: Pair, en: &'static str, zh: &'static str) -> Object {
    Object { noun, class, purpose: p(en, zh) }
}

pub(crate) static OBJECTS: [Object; 44] = [
    o(n("hammer", "hammers", "锤子", "把"), TOOL, "driving in nails", "钉钉子"),
    o(n("saw", "saws", "锯子", "把"), TOOL, "cutting wood", "锯木头"),
    o(n("spade", "spades", "铁锹", "把"), TOOL, "digging holes", "挖坑"),
    o(n("broom", "brooms", "扫帚", "把"), TOOL, "sweeping the floor", "扫地"),
    o(n("ladder", "ladders", "梯子", "架"), TOOL, "climbing up high", "爬到高处"),
    o(n("rope", "ropes", "绳子", "根"), TOOL, "tying things up", "捆东西"),
    o(n("brush", "brushes", "刷子", "把"), TOOL, "painting walls", "刷墙"),
    o(n("needle", "needles", "缝衣针", "根"), TOOL, "sewing clothes", "缝衣服"),
    o(n("ruler", "rulers", "尺子", "把"), TOOL, "measuring length", "量长度"),
    o(n("pen", "pens", "钢笔", "支"), TOOL, "writing letters", "写字"),
    o(n("key", "keys", "钥匙", "把"), TOOL, "opening locks", "开锁"),
    o(n("compass", "compasses", "指南针", "个"), TOOL, "finding the way", "辨别方向"),
    o(n("umbrella", "umbrellas", "雨伞", "把"), TOOL, "keeping off the rain", "挡雨"),
    o(n("basket", "baskets", "篮子", "个"), TOOL, "carrying fruit", "装水果"),
    o(n("fishing rod", "fishing rods", "鱼竿", "根"), TOOL, "catching fish", "钓鱼"),
    o(n("telescope", "telescopes", "望远镜", "架"), TOOL, "looking at the stars", "看星星"),
    o(n("comb", "combs", "梳子", "把"), TOOL, "tidying hair", "梳头"),
    o(n("pillow", "pillows", "枕头", "个"), FURNITURE, "resting the head", "垫头睡觉"),
    o(n("chair", "chairs", "椅子", "把"), FURNITURE, "sitting down", "坐着休息"),
    o(n("shelf", "shelves", "书架", "个"), FURNITURE, "storing books", "放书"),
    o(n("wardrobe", "wardrobes", "衣柜", "个"), FURNITURE, "keeping clothes", "挂衣服"),
    o(n("mirror", "mirrors", "镜子", "面"), FURNITURE, "seeing your own face", "照自己的脸"),
    o(n("lamp", "lamps", "台灯", "盏"), DEVICE, "lighting a room", "照亮房间"),
    o(n("clock", "clocks", "闹钟", "个"), DEVICE, "telling the time", "看时间"),
    o(n("camera", "cameras", "照相机", "台"), DEVICE, "taking photographs", "拍照片"),
    o(n("fridge", "fridges", "冰箱", "台"), DEVICE, "keeping food cold", "冷藏食物"),
    o(n("fan", "fans", "电风扇", "台"), DEVICE, "making a cool wind", "吹风降温"),
    o(n("phone", "phones", "手机", "部"), DEVICE, "calling friends", "打电话"),
    o(n("radio", "radios", "收音机", "台"), DEVICE, "listening to the news", "听新闻"),
    o(n("kettle", "kettles", "水壶", "个"), DEVICE, "boiling water", "烧开水"),
    o(n("scarf", "scarves", "围巾", "条"), CLOTHES, "warming the neck", "给脖子保暖"),
    o(n("hat", "hats", "帽子", "顶"), CLOTHES, "shading the head", "遮住头"),
    o(n("coat", "coats", "大衣", "件"), CLOTHES, "staying warm in winter", "冬天保暖"),
    o(n("belt", "belts", "皮带", "条"), CLOTHES, "holding up trousers", "系裤子"),
    o(n("raincoat", "raincoats", "雨衣", "件"), CLOTHES, "walking in the rain", "雨天出门"),
    o(n("doll", "dolls", "布娃娃", "个"), TOY, "playing house", "过家家"),
    o(n("kite", "kites", "风筝", "只"), TOY, "flying in the wind", "在风中放飞"),
    o(n("ball", "balls", "皮球", "个"), TOY, "throwing and catching", "拍着玩"),
    o(n("puzzle", "puzzles", "拼图", "副"), TOY, "putting pieces together", "拼图案"),
    o(
        n("toy train", "toy trains", "玩具火车", "辆"),
        TOY,
        "running on little rails",
        "在小轨道上跑",
    ),
    o(n("drum", "drums", "鼓", "面"), MUSIC, "beating a rhythm", "敲节奏"),
    o(n("violin", "violins", "小提琴", "把"), MUSIC, "playing music with a bow", "用弓拉曲子"),
    o(n("flute", "flutes", "长笛", "支"), MUSIC, "blowing a tune", "吹曲子"),
    o(n("guitar", "guitars", "吉他", "把"), MUSIC, "plucking strings", "弹拨琴弦"),
];
