//! Causes and their effects, as whole clauses.

use super::{Pair, p};

/// One cause with its usual effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cause {
    pub(crate) cause: Pair,
    pub(crate) effect: Pair,
}

const fn c(ce: &'static str, ee: &'static str, cz: &'static str, ez: &'static str) -> Cause {
    Cause { cause: p(ce, cz), effect: p(ee, ez) }
}

pub(crate) static CAUSES: [Cause; 36] = [
    c("it rained all night", "the ground was wet", "下了一夜的雨", "地面湿了"),
    c("the sun shone all day", "the snow melted", "太阳晒了一整天", "雪融化了"),
    c("it was freezing outside", "the puddles turned to ice", "外面非常冷", "水坑结了冰"),
    c("the wind was very strong", "the old tree fell down", "风刮得太大", "老树倒了"),
    c("there was no rain for months", "the river dried up", "几个月没有下雨", "河水干了"),
    c("nobody watered the flowers", "the flowers died", "没有人浇花", "花枯萎了"),
    c("the window was left open", "the room became cold", "窗户没有关", "房间变冷了"),
    c("the power went out", "the lights went off", "突然停电了", "灯全灭了"),
    c("the glass fell on the floor", "the glass broke", "玻璃杯掉到地上", "杯子碎了"),
    c("the meat stayed in the oven too long", "the meat burned", "肉在烤箱里放得太久", "肉烤焦了"),
    c("the milk was left in the sun", "the milk turned sour", "牛奶放在太阳下", "牛奶变酸了"),
    c("the iron gate stood in the rain", "the gate rusted", "铁门一直淋雨", "铁门生锈了"),
    c("the road was covered with ice", "the cars drove slowly", "路上结了冰", "汽车开得很慢"),
    c("the bridge was broken", "the bus was late", "桥坏了", "公交车晚点了"),
    c("the alarm did not ring", "everyone overslept", "闹铃没有响", "大家都睡过头了"),
    c("the boy ate too much cake", "his stomach hurt", "男孩吃了太多蛋糕", "他肚子疼了"),
    c("the girl did not sleep", "she felt tired", "女孩一夜没睡", "她觉得很累"),
    c("the children ran for an hour", "they were thirsty", "孩子们跑了一个小时", "他们口渴了"),
    c("the old man forgot his coat", "he caught a cold", "老人忘了穿外套", "他感冒了"),
    c("the worker carried heavy boxes", "his back ached", "工人搬了很重的箱子", "他腰疼了"),
    c("the student studied every day", "his marks improved", "学生天天用功", "他的成绩提高了"),
    c("the baby was hungry", "the baby cried", "宝宝饿了", "宝宝哭了"),
    c("someone told a joke", "everybody laughed", "有人讲了一个笑话", "大家都笑了"),
    c("the balloon touched a needle", "the balloon burst", "气球碰到了尖刺", "气球爆了"),
    c("the bath was too full", "water ran over the edge", "浴缸放得太满", "水溢了出来"),
    c("the battery was empty", "the torch did not work", "电池用完了", "手电筒不亮了"),
    c("the tyre had a nail in it", "the tyre went flat", "轮胎扎了一颗钉子", "轮胎瘪了"),
    c("the dog saw a stranger", "the dog barked", "狗看见了陌生人", "狗叫了起来"),
    c("the shop lowered its prices", "many customers came", "商店降价了", "来了很多顾客"),
    c("the team trained hard", "the team won the match", "球队刻苦训练", "球队赢了比赛"),
    c(
        "the candle stood near the curtain",
        "the curtain caught fire",
        "蜡烛离窗帘太近",
        "窗帘着火了",
    ),
    c("the soup had too much salt", "nobody wanted to eat it", "汤里放了太多盐", "没有人想喝"),
    c("the fog was thick", "the ships stayed in port", "雾太浓", "船都停在港里"),
    c(
        "the seeds got water and light",
        "green shoots appeared",
        "种子得到了水和阳光",
        "绿芽长出来了",
    ),
    c("the volcano woke up", "people left the village", "火山喷发了", "人们离开了村子"),
    c("the teacher was ill", "the lesson was cancelled", "老师生病了", "课取消了"),
];
