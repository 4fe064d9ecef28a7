//! Things people do for pleasure, with the verb forms that sentences need.

/// An activity: English base, past and gerund; Chinese plain and completed forms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activity {
    pub(crate) base: &'static str,
    pub(crate) past: &'static str,
    pub(crate) ing: &'static str,
    pub(crate) zh: &'static str,
    pub(crate) zh_done: &'static str,
}

const fn a(
    base: &'static str,
    past: &'static str,
    ing: &'static str,
    zh: &'static str,
    zh_done: &'static str,
) -> Activity {
    Activity { base, past, ing, zh, zh_done }
}

pub(crate) static ACTIVITIES: [Activity; 28] = [
    a("play chess", "played chess", "playing chess", "下棋", "下了棋"),
    a("play football", "played football", "playing football", "踢足球", "踢了足球"),
    a("play basketball", "played basketball", "playing basketball", "打篮球", "打了篮球"),
    a("play tennis", "played tennis", "playing tennis", "打网球", "打了网球"),
    a("play cards", "played cards", "playing cards", "打牌", "打了牌"),
    a("go swimming", "went swimming", "going swimming", "游泳", "游了泳"),
    a("go running", "went running", "going running", "跑步", "跑了步"),
    a("go skating", "went skating", "going skating", "滑冰", "滑了冰"),
    a("go hiking", "went hiking", "going hiking", "爬山", "爬了山"),
    a("go camping", "went camping", "going camping", "露营", "露了营"),
    a("ride a bike", "rode a bike", "riding a bike", "骑自行车", "骑了自行车"),
    a("row a boat", "rowed a boat", "rowing a boat", "划船", "划了船"),
    a("paint flowers", "painted flowers", "painting flowers", "画花", "画了花"),
    a("write poems", "wrote poems", "writing poems", "写诗", "写了诗"),
    a("read novels", "read novels", "reading novels", "看小说", "看了小说"),
    a("watch films", "watched films", "watching films", "看电影", "看了电影"),
    a("sing folk songs", "sang folk songs", "singing folk songs", "唱民歌", "唱了民歌"),
    a("dance", "danced", "dancing", "跳舞", "跳了舞"),
    a("knit", "knitted", "knitting", "织毛衣", "织了毛衣"),
    a("bake cookies", "baked cookies", "baking cookies", "烤曲奇", "烤了曲奇"),
    a("cook dinner", "cooked dinner", "cooking dinner", "做晚饭", "做了晚饭"),
    a("water the plants", "watered the plants", "watering the plants", "浇花", "浇了花"),
    a("clean the house", "cleaned the house", "cleaning the house", "打扫房间", "打扫了房间"),
    a("learn French", "learned French", "learning French", "学法语", "学了法语"),
    a("practise the piano", "practised the piano", "practising the piano", "练钢琴", "练了钢琴"),
    a("collect stamps", "collected stamps", "collecting stamps", "集邮", "集了邮"),
    a("build model ships", "built model ships", "building model ships", "做船模", "做了船模"),
    a(
        "play video games",
        "played video games",
        "playing video games",
        "玩电子游戏",
        "玩了电子游戏",
    ),
];
