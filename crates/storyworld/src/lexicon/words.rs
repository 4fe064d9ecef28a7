//! Opposites, times, days and weather.

use super::{Pair, p};

/// Opposites; both directions are facts.
pub(crate) static ANTONYMS: [(Pair, Pair); 36] = [
    (p("big", "大"), p("small", "小")),
    (p("hot", "热"), p("cold", "冷")),
    (p("long", "长"), p("short", "短")),
    (p("fast", "快"), p("slow", "慢")),
    (p("new", "新"), p("old", "旧")),
    (p("light", "轻"), p("heavy", "重")),
    (p("near", "近"), p("far", "远")),
    (p("early", "早"), p("late", "晚")),
    (p("full", "饱"), p("hungry", "饿")),
    (p("wet", "湿"), p("dry", "干")),
    (p("hard", "硬"), p("soft", "软")),
    (p("loud", "吵闹"), p("quiet", "安静")),
    (p("clean", "干净"), p("dirty", "肮脏")),
    (p("happy", "高兴"), p("sad", "难过")),
    (p("brave", "勇敢"), p("timid", "胆小")),
    (p("rich", "富有"), p("poor", "贫穷")),
    (p("strong", "强壮"), p("weak", "虚弱")),
    (p("thick", "厚"), p("thin", "薄")),
    (p("wide", "宽"), p("narrow", "窄")),
    (p("deep", "深"), p("shallow", "浅")),
    (p("easy", "容易"), p("difficult", "困难")),
    (p("cheap", "便宜"), p("expensive", "昂贵")),
    (p("safe", "安全"), p("dangerous", "危险")),
    (p("lazy", "懒惰"), p("hard-working", "勤劳")),
    (p("polite", "礼貌"), p("rude", "粗鲁")),
    (p("true", "真"), p("false", "假")),
    (p("open", "打开"), p("closed", "关闭")),
    (p("up", "上"), p("down", "下")),
    (p("left", "左"), p("right", "右")),
    (p("inside", "里面"), p("outside", "外面")),
    (p("begin", "开始"), p("end", "结束")),
    (p("buy", "买"), p("sell", "卖")),
    (p("laugh", "笑"), p("cry", "哭")),
    (p("win", "赢"), p("lose", "输")),
    (p("push", "推"), p("pull", "拉")),
    (p("remember", "记住"), p("forget", "忘记")),
];

pub(crate) static DAYS: [Pair; 7] = [
    p("Monday", "星期一"),
    p("Tuesday", "星期二"),
    p("Wednesday", "星期三"),
    p("Thursday", "星期四"),
    p("Friday", "星期五"),
    p("Saturday", "星期六"),
    p("Sunday", "星期天"),
];

/// Adverbials that may open or close a sentence in the past.
pub(crate) static TIMES: [Pair; 10] = [
    p("yesterday", "昨天"),
    p("last weekend", "上个周末"),
    p("in the morning", "早上"),
    p("in the afternoon", "下午"),
    p("last night", "昨天晚上"),
    p("this morning", "今天早上"),
    p("after school", "放学以后"),
    p("after work", "下班以后"),
    p("before noon", "中午之前"),
    p("on the holiday", "放假那天"),
];

/// Whole sentences about the weather.
pub(crate) static WEATHER: [Pair; 10] = [
    p("the sun was shining", "阳光很好"),
    p("it was raining hard", "外面下着大雨"),
    p("the wind was strong", "风刮得很大"),
    p("the sky was grey", "天空灰蒙蒙的"),
    p("it was very hot", "天气非常热"),
    p("it was a cold day", "那天很冷"),
    p("snow was falling", "天上飘着雪"),
    p("the air was fresh", "空气很清新"),
    p("there was thick fog", "雾很浓"),
    p("it was warm and bright", "天气晴朗又暖和"),
];
