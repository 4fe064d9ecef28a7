//! Feelings, and the events that cause them.

use super::{Pair, p};

/// Index into [`FEELINGS`] with the event that causes it; `{he}` and `{his}` stand for the person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FeelingEvent {
    pub(crate) feeling: usize,
    pub(crate) text: Pair,
}

/// The first four are pleasant, the last four unpleasant.
pub(crate) static FEELINGS: [Pair; 8] = [
    p("happy", "高兴"),
    p("proud", "自豪"),
    p("grateful", "感激"),
    p("relaxed", "轻松"),
    p("sad", "难过"),
    p("scared", "害怕"),
    p("angry", "生气"),
    p("worried", "担心"),
];

const fn e(feeling: usize, en: &'static str, zh: &'static str) -> FeelingEvent {
    FeelingEvent { feeling, text: p(en, zh) }
}

pub(crate) static FEELING_EVENTS: [FeelingEvent; 48] = [
    e(0, "got a birthday present", "收到了生日礼物"),
    e(0, "met an old friend", "遇见了老朋友"),
    e(0, "heard some good news", "听到了好消息"),
    e(0, "found a lost ring", "找回了丢失的戒指"),
    e(0, "was invited to a party", "被邀请参加聚会"),
    e(0, "saw a rainbow", "看到了彩虹"),
    e(1, "won the first prize", "得了第一名"),
    e(1, "passed a difficult exam", "通过了很难的考试"),
    e(1, "finished a long race", "跑完了一场长跑"),
    e(1, "saved a child from the water", "从水里救起了一个孩子"),
    e(1, "learned to swim", "学会了游泳"),
    e(1, "was praised by the teacher", "受到了老师的表扬"),
    e(2, "was helped by a stranger", "得到了陌生人的帮助"),
    e(2, "was given a lift home", "搭上了邻居的车回家"),
    e(2, "got back a lost wallet", "拿回了丢失的钱包"),
    e(2, "was forgiven by a friend", "得到了朋友的原谅"),
    e(2, "received a kind letter", "收到了一封温暖的来信"),
    e(2, "was lent some money", "借到了急用的钱"),
    e(3, "took a warm bath", "洗了个热水澡"),
    e(3, "listened to soft music", "听了轻柔的音乐"),
    e(3, "lay in the sun", "躺着晒了太阳"),
    e(3, "finished all the homework", "做完了全部作业"),
    e(3, "slept for ten hours", "睡了十个小时"),
    e(3, "went on holiday", "去度了假"),
    e(4, "lost a favourite toy", "弄丢了心爱的东西"),
    e(4, "failed the exam", "考试没有及格"),
    e(4, "said goodbye to a friend", "和好朋友告别"),
    e(4, "broke a beautiful vase", "打碎了漂亮的花瓶"),
    e(4, "heard bad news", "听到了坏消息"),
    e(4, "was left out of the team", "没有被选进球队"),
    e(5, "heard a strange noise at night", "夜里听到了奇怪的声音"),
    e(5, "got lost in the dark", "在黑暗中迷了路"),
    e(5, "met a big angry dog", "碰到了一条凶狠的大狗"),
    e(5, "had a bad dream", "做了噩梦"),
    e(5, "was caught in a thunderstorm", "遇上了雷暴"),
    e(5, "stood on a high bridge", "站在了高高的桥上"),
    e(6, "was laughed at", "被人嘲笑"),
    e(6, "was cheated by a seller", "被小贩骗了"),
    e(6, "was pushed in the queue", "排队时被人推了一把"),
    e(6, "had a bike stolen", "被人偷了车"),
    e(6, "was blamed for nothing", "无缘无故挨了骂"),
    e(6, "was woken by loud drilling", "被电钻声吵醒"),
    e(7, "missed the last bus", "错过了末班车"),
    e(7, "could not find the house keys", "找不到家门钥匙"),
    e(7, "waited for a phone call all day", "等了一整天电话"),
    e(7, "forgot an important meeting", "忘记了重要的会议"),
    e(7, "saw smoke in the kitchen", "看见厨房冒烟"),
    e(7, "had to wait for the doctor", "在等医生的检查结果"),
];
